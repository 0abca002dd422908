//! Classes of the app: their instances may hold what they are given.

use lunora_diagnostics::codes;

use super::calls::CallSite;
use super::handle::{ClassRef, Handle, Instance, handle_depth, method_of};
use super::{Frame, Walk};
use crate::facts::{BindingKind, ClassFacts, Construction, Name, Root};
use crate::link::modules::FileIndex;
use crate::link::value::{FunctionRef, Place};

/// Instances that hold instances are followed this far.
const MAX_INSTANCE_DEPTH: u32 = 4;

impl<'modules> Walk<'_, 'modules> {
    /// Runs the constructor of a class of the app; `false` when it is none that can be followed.
    pub(super) fn construct(
        &mut self,
        file: FileIndex,
        name: &Name,
        arguments: &[(Handle, Place)],
        call: &CallSite<'_>,
    ) -> bool {
        let Some((class, facts)) = self.class_of(file, name, &call.callee.steps) else {
            return false;
        };
        let parameters: Vec<Handle> = arguments.iter().map(|(handle, _)| handle.clone()).collect();
        let this = self.instance(class, facts, &parameters);
        let constructor = FunctionRef {
            file: class.file,
            index: facts.constructor,
        };
        self.enter_through(call.place, constructor, this, parameters);
        true
    }

    pub(super) fn enter_through(&mut self, place: Place, function: FunctionRef, this: Handle, parameters: Vec<Handle>) {
        let outer = self.through;
        self.through.get_or_insert(place);
        self.enter(function, this, parameters);
        self.through = outer;
    }

    fn class_of(&mut self, file: FileIndex, name: &Name, steps: &[Name]) -> Option<(ClassRef, &'modules ClassFacts)> {
        let (file, binding, rest) = self.binding_of(file, name, steps)?;
        let BindingKind::Class(index) = binding.kind else {
            return None;
        };
        let facts = self.evaluator.modules.facts(file).classes.get(index as usize)?;
        (rest.is_empty() && !facts.is_hidden).then_some((ClassRef { file, index }, facts))
    }

    /// What `new Name(…)` gives. Where it is no class of the app, its arguments have been handed over.
    pub(super) fn constructed(&mut self, frame: Frame<'_>, construction: &Construction) -> Handle {
        let Root::Module(name) = &construction.class.root else {
            return Handle::Other;
        };
        match self.class_of(frame.file, name, &construction.class.steps) {
            Some((class, facts)) => {
                let parameters = self.resolve_all(frame, &construction.arguments);
                self.instance(class, facts, &parameters)
            }
            None => Handle::Other,
        }
    }

    fn instance(&mut self, class: ClassRef, facts: &'modules ClassFacts, parameters: &[Handle]) -> Handle {
        if self.constructing.contains(&class) {
            return Handle::Hidden;
        }
        let functions = &self.evaluator.modules.facts(class.file).functions;
        let constructions = functions
            .get(facts.constructor as usize)
            .map_or(&[][..], |constructor| &constructor.constructions);
        self.constructing.push(class);
        let mut fields: Vec<(Name, Handle)> = Vec::with_capacity(facts.fields.len());
        for (name, value) in &facts.fields {
            let this = Handle::Instance(Box::new(Instance {
                class,
                fields: fields.clone(),
            }));
            let frame = Frame {
                file: class.file,
                parameters,
                this: &this,
                constructions,
            };
            let value = self.resolve(frame, value);
            match fields.iter_mut().find(|(before, _)| before == name) {
                None => fields.push((name.clone(), value)),
                Some((_, before)) if *before == value => {}
                Some((_, before)) => *before = Handle::Either(vec![before.clone(), value]),
            }
        }
        self.constructing.pop();
        let depth = fields.iter().map(|(_, handle)| handle_depth(handle)).max().unwrap_or(0);
        match depth {
            // Without a handle it is plain data, which anybody may change.
            0 => Handle::Other,
            MAX_INSTANCE_DEPTH.. => Handle::Hidden,
            _ => Handle::Instance(Box::new(Instance { class, fields })),
        }
    }

    pub(super) fn call_method(
        &mut self,
        receiver: &Handle,
        instance: &Instance,
        method: &Name,
        arguments: Vec<(Handle, Place)>,
        call: &CallSite<'_>,
    ) {
        let found = method_of(self.evaluator.modules, instance, method);
        match (self.member(receiver, method), found) {
            (Handle::Hidden, Some(function)) if !call.constructs => {
                let parameters = arguments.into_iter().map(|(handle, _)| handle).collect();
                self.enter_through(call.place, function, receiver.clone(), parameters);
            }
            (Handle::Module(file, name, steps), _) => self.call_module(file, &name, &steps, arguments, call),
            (field, _) => {
                self.escape(&field, call.callee_place, "is used in a way that cannot be seen");
                self.hand_over(&arguments, call, "a function that cannot be seen");
            }
        }
    }

    /// What a field was set to by the constructor counts for all that follows.
    pub(super) fn assigned(&mut self, object: &Handle, name: Option<&Name>, place: Place) {
        match object {
            Handle::Instance(_) => {
                let is_data = name.is_some_and(|name| self.member(object, name) == Handle::Other);
                if !is_data {
                    let message =
                        "a field of an object that holds `ctx` is assigned outside of its constructor".to_owned();
                    self.use_database(place);
                    self.unseen(codes::ADDRESS_UNDECIDABLE, place, message);
                }
            }
            Handle::Hidden => self.escape(object, place, "is used in a way that cannot be seen"),
            Handle::Either(choices) => {
                for choice in choices {
                    self.assigned(choice, name, place);
                }
            }
            _ => {}
        }
    }
}
