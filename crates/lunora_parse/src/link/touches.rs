//! Which tables a function touches, through every function of the app that it calls.

mod calls;
mod database;
mod escapes;
mod handle;
mod instances;
mod module_calls;
mod moments;
mod references;
mod scheduling;
mod values;

use std::rc::Rc;

use lunora_diagnostics::{Code, codes};
use lunora_ir::FunctionKind;
use rustc_hash::FxHashSet;

use super::evaluate::Evaluator;
use super::modules::{FileIndex, Symbol};
use super::schema::SchemaModel;
use super::value::{BuilderValue, Callable, Form, FunctionRef, Map, Place, RegisteredValue};
use crate::facts::{Construction, Event, Moment, Name, Root};
use calls::CallSite;
use handle::{ClassRef, Handle};

/// Functions that one function may lead to.
const MAX_VISITS: usize = 4_000;

/// A function that is being walked, as its caller calls it.
#[derive(Clone, Copy)]
struct Frame<'frame> {
    file: FileIndex,
    parameters: &'frame [Handle],
    this: &'frame Handle,
    constructions: &'frame [Construction],
}

impl Frame<'_> {
    const fn place(&self, span: lunora_diagnostics::Span) -> Place {
        Place { file: self.file, span }
    }
}

/// Why a function's tables are not all visible.
#[derive(Debug, Clone)]
pub(super) struct Unseen {
    pub(super) code: Code,
    pub(super) place: Place,
    pub(super) message: String,
}

/// What a function touches.
#[derive(Debug, Default)]
pub(super) struct Touches {
    pub(super) reads: Map<Name, Place>,
    pub(super) writes: Map<Name, Place>,
    /// Stand in the way of deciding, unless the address is stated.
    pub(super) unseen: Vec<Unseen>,
    /// Accesses by an id whose table is not known; they decide nothing.
    pub(super) by_unknown_id: Vec<Place>,
    /// It uses `ctx.scheduler`.
    pub(super) schedules: bool,
    /// The first use of `ctx.db`.
    pub(super) database: Option<Place>,
    /// Where it looks at a clock, at chance or at the world, and how that is written. Of an action, nothing.
    pub(super) moments: Map<Place, &'static str>,
}

impl Touches {
    pub(super) fn tables(&self) -> Vec<&Name> {
        let mut tables: Vec<&Name> = self.reads.keys().chain(self.writes.keys()).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    pub(super) fn place_of(&self, table: &str) -> Option<Place> {
        let table: Name = table.into();
        self.writes.get(&table).or_else(|| self.reads.get(&table)).copied()
    }
}

struct Walk<'walk, 'modules> {
    evaluator: &'walk mut Evaluator<'modules>,
    schema: &'walk SchemaModel,
    inputs: Vec<Rc<BuilderValue>>,
    visited: FxHashSet<(FunctionRef, Vec<Handle>)>,
    touches: Touches,
    /// Where the function that is being decided calls the one being walked.
    through: Option<Place>,
    kind: FunctionKind,
    form: Form,
    /// Classes whose instances are being made: one that holds itself has no end.
    constructing: Vec<ClassRef>,
}

/// Finds what a registered function touches.
pub(super) fn touches_of(evaluator: &mut Evaluator<'_>, schema: &SchemaModel, function: &RegisteredValue) -> Touches {
    let mut walk = Walk::new(evaluator, schema, function);
    walk.registered(function);
    let is_fresh = !matches!(function.builder.kind, FunctionKind::Action | FunctionKind::Stream);
    if function.form != Form::Shape && is_fresh {
        walk.look_at_moments();
    }
    walk.touches
}

/// Reports what is wrong with a mutator's `apply` that runs in clients alone, where it decides no address.
pub(super) fn check_client_half(evaluator: &mut Evaluator<'_>, schema: &SchemaModel, function: &RegisteredValue) {
    if let Some(client_half) = &function.client_half {
        let mut walk = Walk::new(evaluator, schema, function);
        walk.inputs.push(function.builder.clone());
        walk.run_by_name(client_half, vec![Handle::Context, Handle::Arguments(0, Vec::new())]);
    }
}

impl<'walk, 'modules> Walk<'walk, 'modules> {
    fn new(evaluator: &'walk mut Evaluator<'modules>, schema: &'walk SchemaModel, function: &RegisteredValue) -> Self {
        Self {
            evaluator,
            schema,
            inputs: Vec::new(),
            visited: FxHashSet::default(),
            touches: Touches::default(),
            through: None,
            kind: function.builder.kind,
            form: function.form,
            constructing: Vec::new(),
        }
    }

    fn registered(&mut self, function: &RegisteredValue) {
        let input = self.inputs.len();
        self.inputs.push(function.builder.clone());
        for middleware in &function.builder.middleware {
            self.run_by_name(middleware, vec![Handle::Handler(input)]);
        }
        let parameters = match function.form {
            Form::Chain => vec![Handle::Handler(input)],
            Form::Mutator | Form::Shape => vec![Handle::Context, Handle::Arguments(input, Vec::new())],
        };
        self.run_by_name(&function.handler, parameters);
    }

    fn run_by_name(&mut self, callable: &Callable, parameters: Vec<Handle>) {
        match callable {
            Callable::Function(function) => self.enter(*function, Handle::Other, parameters),
            Callable::Trusted => {}
            Callable::Unseen(what, place) => {
                let message = format!("what {what} does with `ctx` cannot be seen");
                self.unseen(codes::ADDRESS_UNDECIDABLE, *place, message);
            }
        }
    }

    /// What the function does that would have another answer the next time, here and in what it calls.
    fn moment(&mut self, frame: Frame<'_>, moment: &Moment) {
        match moment {
            Moment::Global { name, written, span } => {
                let modules = self.evaluator.modules;
                if let Symbol::Global = modules.lookup(frame.file, name, &mut self.evaluator.asked) {
                    self.touches.moments.insert(frame.place(*span), written);
                }
            }
            Moment::Now { value, span } => {
                if self.path(frame, value) == Handle::Context {
                    self.touches.moments.insert(frame.place(*span), "ctx.now");
                }
            }
            Moment::Call { callee } => {
                if let Root::Module(name) = &callee.root
                    && let Callable::Function(function) = self.module_callable(frame.file, name, &callee.steps)
                {
                    self.enter(function, Handle::Other, Vec::new());
                }
            }
        }
    }

    fn unseen(&mut self, code: Code, place: Place, message: String) {
        self.touches.unseen.push(Unseen { code, place, message });
    }

    fn enter(&mut self, function: FunctionRef, this: Handle, parameters: Vec<Handle>) {
        let modules = self.evaluator.modules;
        let Some(facts) = modules.facts(function.file).functions.get(function.index as usize) else {
            return;
        };
        let mut key = parameters.clone();
        key.push(this.clone());
        if self.visited.len() >= MAX_VISITS {
            let place = Place {
                file: function.file,
                span: facts.span,
            };
            let message = "it leads through too many functions to be followed".to_owned();
            if !self.touches.unseen.iter().any(|unseen| unseen.message == message) {
                self.unseen(codes::ADDRESS_UNDECIDABLE, place, message);
            }
            return;
        }
        if !self.visited.insert((function, key)) {
            return;
        }
        self.evaluator.asked.push(function.file);
        let frame = Frame {
            file: function.file,
            parameters: &parameters,
            this: &this,
            constructions: &facts.constructions,
        };
        for event in &facts.events {
            match event {
                Event::Call {
                    callee,
                    span,
                    callee_span,
                    arguments,
                    with,
                    constructs,
                } => {
                    let call = CallSite {
                        callee,
                        place: frame.place(*span),
                        callee_place: frame.place(*callee_span),
                        arguments,
                        with: with.as_ref(),
                        constructs: *constructs,
                    };
                    self.call(frame, &call);
                }
                Event::Escape { value, span } => {
                    let handle = self.path(frame, value);
                    self.escape(&handle, frame.place(*span), "leaves the function");
                }
                Event::Assign { object, name, span } => {
                    let handle = self.path(frame, object);
                    self.assigned(&handle, name.as_ref(), frame.place(*span));
                }
            }
        }
        if self.form == Form::Shape {
            for moment in &facts.moments {
                self.moment(frame, moment);
            }
        }
    }
}
