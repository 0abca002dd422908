//! Which tables a function touches, through every function of the app that it calls.

mod moments;
mod scheduling;

use std::rc::Rc;

use lunora_diagnostics::{Code, codes};
use lunora_ir::{FunctionKind, Validator};
use rustc_hash::FxHashSet;

use super::evaluate::Evaluator;
use super::modules::{FileIndex, GeneratedModule, Modules, Symbol, function_of, module_path};
use super::schema::SchemaModel;
use super::suggest::hint;
use super::value::{BuilderValue, Callable, Form, FunctionRef, Map, Place, RegisteredValue, Value};
use crate::facts::{
    Binding, BindingKind, ClassFacts, Construction, Event, Expression, ExpressionKind, Imported, Moment, Name, Path,
    Root, Tracked, TrackedArgument, WithShape,
};

/// Functions that one function may lead to.
const MAX_VISITS: usize = 4_000;

/// What a tracked value is, once the caller is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Handle {
    /// The parameter of a handler: `{ ctx, args }`, with the input it belongs to.
    Handler(usize),
    Context,
    /// `ctx.scheduler`
    Scheduler,
    Database,
    /// `ctx.db.<table>`
    Accessor(Name),
    /// `ctx.db[name]`, where the name is not visible.
    UnknownAccessor,
    /// Part of the arguments of a handler.
    Arguments(usize, Vec<Name>),
    String(Name),
    /// Something of a module, not looked at yet.
    Module(FileIndex, Name, Vec<Name>),
    Object(Vec<(Name, Handle)>, Vec<Handle>),
    Either(Vec<Handle>),
    /// What `new` made of a class of the app; it holds a handle.
    Instance(Box<Instance>),
    /// Part of an instance that is not followed: a method as a value, a getter.
    Hidden,
    Other,
}

/// A class of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ClassRef {
    file: FileIndex,
    index: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Instance {
    class: ClassRef,
    fields: Vec<(Name, Handle)>,
}

/// Instances that hold instances are followed this far.
const MAX_INSTANCE_DEPTH: u32 = 4;

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

    // ---- values

    fn resolve(&mut self, frame: Frame<'_>, value: &Tracked) -> Handle {
        match value {
            Tracked::Unknown => Handle::Other,
            Tracked::String(text) => Handle::String(text.clone()),
            Tracked::Path(path) => self.path(frame, path),
            Tracked::Object(shape) => {
                let mut properties = Vec::with_capacity(shape.properties.len());
                for (name, value) in &shape.properties {
                    properties.push((name.clone(), self.resolve(frame, value)));
                }
                Handle::Object(properties, self.resolve_all(frame, &shape.spreads))
            }
            Tracked::Either(values) => Handle::Either(self.resolve_all(frame, values)),
        }
    }

    fn resolve_all(&mut self, frame: Frame<'_>, values: &[Tracked]) -> Vec<Handle> {
        values.iter().map(|value| self.resolve(frame, value)).collect()
    }

    fn path(&mut self, frame: Frame<'_>, path: &Path) -> Handle {
        let mut handle = match &path.root {
            Root::Parameter(index) => frame
                .parameters
                .get(usize::from(*index))
                .cloned()
                .unwrap_or(Handle::Other),
            Root::This => frame.this.clone(),
            Root::Construction(index) => match frame.constructions.get(usize::from(*index)) {
                Some(construction) => self.constructed(frame, construction),
                None => Handle::Other,
            },
            Root::Module(name) => return Handle::Module(frame.file, name.clone(), path.steps.clone()),
        };
        for step in &path.steps {
            handle = self.member(&handle, step);
        }
        handle
    }

    fn member(&self, handle: &Handle, name: &Name) -> Handle {
        member(self.evaluator.modules, handle, name)
    }

    // ---- calls

    fn call(&mut self, frame: Frame<'_>, call: &CallSite<'_>) {
        let (receiver, method) = match (&call.callee.root, call.callee.steps.split_last()) {
            (Root::Module(name), _) => {
                let arguments = self.arguments(frame, call);
                if call.constructs && self.construct(frame.file, name, &arguments, call) {
                    return;
                }
                self.call_module(frame.file, name, &call.callee.steps, arguments, call);
                return;
            }
            (_, Some((method, receiver))) => {
                let receiver = Path {
                    root: call.callee.root.clone(),
                    steps: receiver.to_vec(),
                };
                (self.path(frame, &receiver), method.clone())
            }
            // A parameter that is called: a function passed in.
            (_, None) => {
                let callee = self.path(frame, call.callee);
                let arguments = self.arguments(frame, call);
                match callee {
                    Handle::Module(from, name, steps) => self.call_module(from, &name, &steps, arguments, call),
                    _ => self.hand_over(&arguments, call, "a function that is passed in"),
                }
                return;
            }
        };
        self.call_member(frame, &receiver, &method, call);
    }

    fn call_member(&mut self, frame: Frame<'_>, receiver: &Handle, method: &Name, call: &CallSite<'_>) {
        match receiver {
            Handle::Database => {
                let arguments = self.arguments(frame, call);
                self.database_call(method, &arguments, call);
            }
            Handle::Scheduler => {
                let arguments = self.arguments(frame, call);
                self.schedule(method, &arguments, call);
            }
            Handle::Accessor(table) => {
                let write = !is_read(method);
                let table = table.clone();
                self.touch_checked(&table, write, call.callee_place);
                if let Some(with) = call.with {
                    self.with(&table, with, call.place.file);
                }
            }
            Handle::UnknownAccessor => {
                self.use_database(call.callee_place);
                self.table_not_static(call.callee_place);
            }
            Handle::Context => {
                let arguments = self.arguments(frame, call);
                if matches!(&**method, "runQuery" | "runMutation") {
                    self.run(method, &arguments, call);
                } else {
                    // `ctx.auth` and the like take data.
                    self.hand_over(&arguments, call, "a method of `ctx`");
                }
            }
            // `next({ ctx: … })` of a middleware.
            Handle::Handler(_) => {}
            Handle::Either(choices) => {
                for choice in choices {
                    self.call_member(frame, choice, method, call);
                }
            }
            Handle::Module(from, name, steps) => {
                let mut steps = steps.clone();
                steps.push(method.clone());
                let arguments = self.arguments(frame, call);
                self.call_module(*from, name, &steps, arguments, call);
            }
            Handle::Instance(instance) => {
                let arguments = self.arguments(frame, call);
                self.call_method(receiver, instance, method, arguments, call);
            }
            Handle::Hidden => {
                let arguments = self.arguments(frame, call);
                self.escape(receiver, call.callee_place, "is used in a way that cannot be seen");
                self.hand_over(&arguments, call, "a function that cannot be seen");
            }
            _ => {
                let arguments = self.arguments(frame, call);
                self.hand_over(&arguments, call, "a function that cannot be seen");
            }
        }
    }

    fn arguments(&mut self, frame: Frame<'_>, call: &CallSite<'_>) -> Vec<(Handle, Place)> {
        call.arguments
            .iter()
            .map(|argument| (self.resolve(frame, &argument.value), frame.place(argument.span)))
            .collect()
    }

    // ---- instances

    /// Runs the constructor of a class of the app; `false` when it is none that can be followed.
    fn construct(&mut self, file: FileIndex, name: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) -> bool {
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

    fn enter_through(&mut self, place: Place, function: FunctionRef, this: Handle, parameters: Vec<Handle>) {
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
    fn constructed(&mut self, frame: Frame<'_>, construction: &Construction) -> Handle {
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

    fn call_method(
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
    fn assigned(&mut self, object: &Handle, name: Option<&Name>, place: Place) {
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

    /// A call of something of the module: a helper of the app, or something outside.
    fn call_module(
        &mut self,
        file: FileIndex,
        name: &Name,
        steps: &[Name],
        arguments: Vec<(Handle, Place)>,
        call: &CallSite<'_>,
    ) {
        match self.module_callable(file, name, steps) {
            Callable::Function(function) if !call.constructs => {
                let parameters = arguments.into_iter().map(|(handle, _)| handle).collect();
                self.enter_through(call.place, function, Handle::Other, parameters);
            }
            Callable::Trusted => {}
            _ => {
                let written: Vec<&str> = std::iter::once(&**name)
                    .chain(steps.iter().map(|step| &**step))
                    .collect();
                self.hand_over(&arguments, call, &format!("`{}`", written.join(".")));
            }
        }
    }

    fn module_callable(&mut self, file: FileIndex, name: &Name, steps: &[Name]) -> Callable {
        let unseen = Callable::Unseen(
            String::new(),
            Place {
                file,
                span: Default::default(),
            },
        );
        let modules = self.evaluator.modules;
        match modules.lookup(file, name, &mut self.evaluator.asked) {
            Symbol::Framework(_) | Symbol::Generated { .. } => return Callable::Trusted,
            // Printing a handle does nothing with it.
            Symbol::Global if &**name == "console" => return Callable::Trusted,
            _ => {}
        }
        let Some((file, binding, steps)) = self.binding_of(file, name, steps) else {
            return unseen;
        };
        if steps.is_empty()
            && let Some(index) = function_of(binding)
        {
            return Callable::Function(FunctionRef { file, index });
        }
        match &binding.kind {
            BindingKind::Constant(expression) => self.member_callable(file, expression, steps),
            _ => unseen,
        }
    }

    /// What a name of a module is bound to, through namespaces, and the steps that are left.
    fn binding_of<'steps>(
        &mut self,
        file: FileIndex,
        name: &Name,
        mut steps: &'steps [Name],
    ) -> Option<(FileIndex, &'modules Binding, &'steps [Name])> {
        let modules = self.evaluator.modules;
        let mut symbol = modules.lookup(file, name, &mut self.evaluator.asked);
        while let Symbol::Namespace(target) = symbol {
            let (step, rest) = steps.split_first()?;
            steps = rest;
            symbol = modules.export(target, step, &mut self.evaluator.asked)?;
        }
        match symbol {
            Symbol::Binding { file, binding, .. } => Some((file, binding, steps)),
            _ => None,
        }
    }

    /// A function in an object of helpers.
    fn member_callable(&mut self, file: FileIndex, expression: &Expression, steps: &[Name]) -> Callable {
        let Some((step, rest)) = steps.split_first() else {
            return self.evaluator.callable(file, expression);
        };
        if let ExpressionKind::Object(properties) = &expression.kind {
            for property in properties {
                if let crate::facts::Property::Named { name, value, .. } = property
                    && name == step
                {
                    return self.member_callable(file, value, rest);
                }
            }
        }
        Callable::Unseen(
            String::new(),
            Place {
                file,
                span: expression.span,
            },
        )
    }

    /// Arguments go to something that cannot be seen.
    fn hand_over(&mut self, arguments: &[(Handle, Place)], call: &CallSite<'_>, to: &str) {
        let what = if call.constructs {
            format!("the constructor of {to}")
        } else {
            to.to_owned()
        };
        for (handle, place) in arguments {
            self.escape(
                handle,
                *place,
                &format!("is handed to {what}, whose use of it cannot be seen"),
            );
        }
    }

    fn escape(&mut self, handle: &Handle, place: Place, how: &str) {
        let what = match handle {
            Handle::Context | Handle::Handler(_) => "`ctx`",
            Handle::Instance(_) | Handle::Hidden => "an object that holds `ctx`",
            Handle::Scheduler => {
                self.use_scheduler();
                return;
            }
            Handle::Database | Handle::UnknownAccessor => "`ctx.db`",
            Handle::Accessor(table) => {
                // Whatever happens to it, it reaches one table only.
                if self.schema.tables.contains_key(&**table) {
                    let table = table.clone();
                    self.touch(&table, self.kind == FunctionKind::Mutation, place);
                }
                return;
            }
            Handle::Object(properties, spreads) => {
                for handle in properties.iter().map(|(_, handle)| handle).chain(spreads) {
                    self.escape(handle, place, how);
                }
                return;
            }
            Handle::Either(choices) => {
                for handle in choices {
                    self.escape(handle, place, how);
                }
                return;
            }
            _ => return,
        };
        self.use_database(place);
        self.unseen(codes::ADDRESS_UNDECIDABLE, place, format!("{what} {how}"));
    }

    fn use_database(&mut self, place: Place) {
        if self.touches.database.is_none() {
            self.touches.database = Some(self.through.unwrap_or(place));
        }
    }

    // ---- tables

    fn database_call(&mut self, method: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) {
        self.use_database(call.callee_place);
        let count = arguments.len();
        match &**method {
            "normalizeId" | "asId" => {}
            "query" => self.table_argument(arguments.first(), false, call),
            "insert" | "insertMany" | "insertManyUnsafe" | "patchWhere" | "deleteWhere" | "deleteAll" => {
                self.table_argument(arguments.first(), true, call);
            }
            "get" if count >= 2 => self.table_argument(arguments.first(), false, call),
            "get" => self.id_argument(arguments.first(), false, call),
            "patch" | "replace" if count >= 3 => self.table_argument(arguments.first(), true, call),
            "patch" | "replace" => self.id_argument(arguments.first(), true, call),
            "delete" if count >= 2 => self.table_argument(arguments.first(), true, call),
            "delete" => self.id_argument(arguments.first(), true, call),
            "patchMany" | "deleteMany" => {
                let named = arguments
                    .first()
                    .is_some_and(|(handle, place)| !self.strings(handle, *place).is_empty());
                if named {
                    self.table_argument(arguments.first(), true, call);
                } else {
                    self.id_argument(arguments.first(), true, call);
                }
            }
            "wipeShard" => {
                let message = "`wipeShard` empties whatever tables the shard holds".to_owned();
                self.unseen(codes::ADDRESS_UNDECIDABLE, call.callee_place, message);
            }
            _ => {
                let mut known: Vec<&str> = DATABASE_METHODS.to_vec();
                known.extend(self.schema.names());
                if !self.schema.incomplete {
                    let message = format!("`ctx.db` has no method `{method}`");
                    self.evaluator.report(
                        codes::UNKNOWN_DATABASE_METHOD,
                        call.callee_place,
                        message,
                        hint(method, &known),
                    );
                }
            }
        }
    }

    /// The texts a handle may stand for; empty when one of them is not visible.
    fn strings(&mut self, handle: &Handle, place: Place) -> Vec<Name> {
        match handle {
            Handle::String(text) => vec![text.clone()],
            Handle::Either(choices) => {
                let mut all = Vec::new();
                for choice in choices {
                    let texts = self.strings(choice, place);
                    if texts.is_empty() {
                        return Vec::new();
                    }
                    all.extend(texts);
                }
                all
            }
            Handle::Module(file, name, steps) => {
                let mut expression = Expression {
                    span: place.span,
                    kind: ExpressionKind::Name(name.clone()),
                };
                for step in steps {
                    if matches!(&**step, "[]" | "?") {
                        return Vec::new();
                    }
                    expression = Expression {
                        span: place.span,
                        kind: ExpressionKind::Member {
                            object: Box::new(expression),
                            name: step.clone(),
                            name_span: place.span,
                        },
                    };
                }
                match self.evaluator.quietly(*file, &expression) {
                    Some(Value::String(text)) => vec![text],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn table_argument(&mut self, argument: Option<&(Handle, Place)>, write: bool, call: &CallSite<'_>) {
        let Some((handle, place)) = argument else {
            self.table_not_static(call.callee_place);
            return;
        };
        let tables = self.strings(handle, *place);
        if tables.is_empty() {
            self.table_not_static(*place);
        }
        for table in tables {
            self.touch_checked(&table, write, *place);
        }
    }

    fn table_not_static(&mut self, place: Place) {
        let message = "which table this is depends on a value that is only known when it runs".to_owned();
        self.unseen(codes::TABLE_NOT_STATIC, place, message);
    }

    fn touch_checked(&mut self, table: &Name, write: bool, place: Place) {
        self.use_database(place);
        if !self.schema.tables.contains_key(&**table) {
            if !self.schema.incomplete {
                let message = format!("there is no table `{table}`");
                let help = hint(table, &self.schema.names());
                self.evaluator.report(codes::UNKNOWN_TABLE, place, message, help);
            }
            return;
        }
        self.touch(table, write, place);
    }

    fn touch(&mut self, table: &Name, write: bool, place: Place) {
        self.use_database(place);
        let list = if write {
            &mut self.touches.writes
        } else {
            &mut self.touches.reads
        };
        if list.contains_key(table) {
            return;
        }
        list.insert(table.clone(), place);
        if write {
            self.follow_write(table, place);
        }
    }

    /// Triggers and `onDelete` run in the transaction of the write.
    fn follow_write(&mut self, table: &Name, place: Place) {
        let schema = self.schema;
        for handler in schema.triggers.get(&**table).into_iter().flatten() {
            match handler {
                Callable::Function(handler) => {
                    // A trigger's parameter is shaped like a handler's: `{ ctx: { db }, document, … }`.
                    let input = self.inputs.len().saturating_sub(1);
                    self.enter_through(place, *handler, Handle::Other, vec![Handle::Handler(input)]);
                }
                Callable::Trusted => {}
                Callable::Unseen(what, declared) => {
                    let message = format!("what {what} does, a trigger of `{table}`, cannot be seen");
                    self.unseen(codes::ADDRESS_UNDECIDABLE, *declared, message);
                }
            }
        }
    }

    fn id_argument(&mut self, argument: Option<&(Handle, Place)>, write: bool, call: &CallSite<'_>) {
        let table = match argument {
            Some((Handle::Arguments(input, path), _)) => self.id_table(*input, path),
            _ => None,
        };
        match table {
            Some(table) if self.schema.tables.contains_key(&*table) => self.touch(&table, write, call.callee_place),
            _ => self.touches.by_unknown_id.push(call.callee_place),
        }
    }

    /// The table of the id that a part of the arguments is validated as.
    fn id_table(&self, input: usize, path: &[Name]) -> Option<Name> {
        let (argument, rest) = path.split_first()?;
        let (_, column) = self.inputs.get(input)?.input.get(argument)?;
        let mut validator = column.validator.unwrapped();
        for step in rest {
            validator = match validator {
                Validator::Object { fields } => fields.get(&**step)?.unwrapped(),
                Validator::Array { item } if &**step == "[]" => item.unwrapped(),
                _ => return None,
            };
        }
        match validator {
            Validator::Id { table } => Some(table.as_str().into()),
            _ => None,
        }
    }

    /// `with: { author: true }` reads the related table.
    fn with(&mut self, table: &Name, shape: &WithShape, file: FileIndex) {
        let schema = self.schema;
        let Some(definition) = schema.tables.get(&**table) else {
            return;
        };
        for (relation, span, nested) in &shape.relations {
            let place = Place { file, span: *span };
            match definition.relations.get(&**relation) {
                Some(found) => {
                    let target: Name = found.table.as_str().into();
                    self.touch_checked(&target, false, place);
                    self.with(&target, nested, file);
                }
                None if schema.incomplete => {}
                None => {
                    let known: Vec<&str> = definition.relations.keys().map(String::as_str).collect();
                    let message = format!("the table `{table}` has no relation `{relation}`");
                    self.evaluator
                        .report(codes::UNKNOWN_RELATION, place, message, hint(relation, &known));
                }
            }
        }
    }

    // ---- calls of other functions

    /// `ctx.runQuery(api.messages.list, …)` runs in the caller's place, so that the caller touches
    /// what the other touches.
    fn run(&mut self, method: &Name, arguments: &[(Handle, Place)], call: &CallSite<'_>) {
        let Some((handle, place)) = arguments.first() else {
            return;
        };
        if self.kind != FunctionKind::Action && self.reference(handle, *place).is_none() {
            let message = format!("which function `{method}` calls is not visible");
            self.unseen(codes::ADDRESS_UNDECIDABLE, *place, message);
            return;
        }
        let value = self.referenced(handle, *place);
        if self.kind != FunctionKind::Action
            && let Some(Value::Registered(function)) = value
        {
            self.run_registered(&function, call);
        }
    }

    /// What a reference to a function means; one that leads nowhere is reported.
    fn referenced(&mut self, handle: &Handle, place: Place) -> Option<Value> {
        let reference = self.reference(handle, place)?;
        let (export, path) = reference.split_last()?;
        let modules = self.evaluator.modules;
        let joined = path.iter().map(|step| &**step).collect::<Vec<_>>().join("/");
        let file = modules.find(&format!("{}/{joined}", modules.directory));
        let Some(file) = file else {
            let known: Vec<&str> = modules
                .files
                .iter()
                .map(|file| module_path(&modules.directory, &file.path))
                .filter(|module| !matches!(*module, "schema" | "app"))
                .collect();
            let message = format!("there is no function `{joined}:{export}`");
            self.evaluator
                .report(codes::UNKNOWN_FUNCTION, place, message, hint(&joined, &known));
            return None;
        };
        self.evaluator.asked.push(file);
        if !modules.file(file).parses() {
            return None;
        }
        let Some(symbol) = modules.export(file, export, &mut self.evaluator.asked) else {
            let mut asked = Vec::new();
            let exported = modules.exported_names(file, &mut asked);
            let known: Vec<&str> = exported.iter().map(|(name, ..)| &**name).collect();
            let message = format!("there is no function `{joined}:{export}`");
            self.evaluator
                .report(codes::UNKNOWN_FUNCTION, place, message, hint(export, &known));
            return None;
        };
        let before = self.evaluator.diagnostics.len();
        let value = self.evaluator.read_symbol(symbol, export, place);
        // The file that declares it reports what is wrong with it.
        self.evaluator.diagnostics.truncate(before);
        value.ok()
    }

    fn run_registered(&mut self, function: &RegisteredValue, call: &CallSite<'_>) {
        let stated = function.builder.shard.is_some();
        let unseen = self.touches.unseen.len();
        let key = match &function.handler {
            Callable::Function(handler) => (*handler, vec![Handle::String("run".into())]),
            _ => return,
        };
        if !self.visited.insert(key) {
            return;
        }
        let outer = self.through;
        self.through.get_or_insert(call.place);
        self.registered(function);
        self.through = outer;
        if stated {
            self.touches.unseen.truncate(unseen);
        }
    }

    /// The steps after `api` or `internal`.
    fn reference(&mut self, handle: &Handle, place: Place) -> Option<Vec<Name>> {
        let Handle::Module(file, name, steps) = handle else {
            return None;
        };
        let modules = self.evaluator.modules;
        match modules.lookup(*file, name, &mut self.evaluator.asked) {
            Symbol::Generated {
                module: GeneratedModule::Api,
                name: Imported::Named(_),
            } => Some(steps.clone()),
            Symbol::Binding { .. } => {
                let expression = Expression {
                    span: place.span,
                    kind: ExpressionKind::Name(name.clone()),
                };
                match self.evaluator.quietly(*file, &expression)? {
                    Value::Reference(reference) => {
                        Some(reference.iter().skip(1).cloned().chain(steps.iter().cloned()).collect())
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

struct CallSite<'call> {
    callee: &'call Path,
    place: Place,
    callee_place: Place,
    arguments: &'call [TrackedArgument],
    with: Option<&'call WithShape>,
    constructs: bool,
}

const DATABASE_METHODS: &[&str] = &[
    "asId",
    "delete",
    "deleteAll",
    "deleteMany",
    "deleteWhere",
    "get",
    "insert",
    "insertMany",
    "insertManyUnsafe",
    "normalizeId",
    "patch",
    "patchMany",
    "patchWhere",
    "query",
    "replace",
    "wipeShard",
];

/// Methods of `ctx.db.<table>` that change nothing.
fn is_read(method: &str) -> bool {
    matches!(
        method,
        "findMany"
            | "findFirst"
            | "findUnique"
            | "findRelated"
            | "exists"
            | "count"
            | "aggregate"
            | "groupBy"
            | "rank"
            | "rankPage"
            | "get"
            | "query"
            | "paginate"
            | "withIndex"
            | "filter"
            | "order"
            | "collect"
            | "first"
            | "take"
            | "unique"
    )
}

/// How deep instances nest in a handle; 0 when it holds none of `ctx`.
fn handle_depth(handle: &Handle) -> u32 {
    let deepest = |handles: &mut dyn Iterator<Item = &Handle>| handles.map(handle_depth).max().unwrap_or(0);
    match handle {
        Handle::Handler(_)
        | Handle::Context
        | Handle::Database
        | Handle::Accessor(_)
        | Handle::UnknownAccessor
        | Handle::Hidden => 1,
        Handle::Object(properties, spreads) => deepest(&mut properties.iter().map(|(_, handle)| handle).chain(spreads)),
        Handle::Either(choices) => deepest(&mut choices.iter()),
        Handle::Instance(instance) => 1 + deepest(&mut instance.fields.iter().map(|(_, handle)| handle)),
        Handle::Scheduler | Handle::Arguments(..) | Handle::String(_) | Handle::Module(..) | Handle::Other => 0,
    }
}

fn method_of(modules: &Modules, instance: &Instance, name: &Name) -> Option<FunctionRef> {
    let ClassRef { file, index } = instance.class;
    let facts = modules.facts(file).classes.get(index as usize)?;
    let (_, index) = facts.methods.iter().rev().find(|(method, _)| method == name)?;
    Some(FunctionRef { file, index: *index })
}

/// A part of an instance: a field, or something that is not followed as a value.
fn instance_member(modules: &Modules, instance: &Instance, name: &Name) -> Handle {
    if let Some((_, handle)) = instance.fields.iter().find(|(field, _)| field == name) {
        return handle.clone();
    }
    let class = instance.class;
    let is_accessor = modules
        .facts(class.file)
        .classes
        .get(class.index as usize)
        .is_none_or(|facts| facts.accessors.contains(name));
    if is_accessor || &**name == "?" || method_of(modules, instance, name).is_some() {
        return Handle::Hidden;
    }
    Handle::Other
}

fn member(modules: &Modules, handle: &Handle, name: &Name) -> Handle {
    match handle {
        Handle::Handler(input) => match &**name {
            "ctx" => Handle::Context,
            "args" => Handle::Arguments(*input, Vec::new()),
            _ => Handle::Other,
        },
        Handle::Context => match &**name {
            "db" => Handle::Database,
            "scheduler" => Handle::Scheduler,
            _ => Handle::Other,
        },
        Handle::Database => match &**name {
            "?" | "[]" => Handle::UnknownAccessor,
            "system" => Handle::Other,
            _ => Handle::Accessor(name.clone()),
        },
        Handle::Arguments(input, path) => {
            let mut path = path.clone();
            path.push(name.clone());
            Handle::Arguments(*input, path)
        }
        Handle::Module(file, root, steps) => {
            let mut steps = steps.clone();
            steps.push(name.clone());
            Handle::Module(*file, root.clone(), steps)
        }
        Handle::Object(properties, spreads) => {
            if let Some((_, handle)) = properties.iter().rev().find(|(key, _)| key == name) {
                return handle.clone();
            }
            match &spreads[..] {
                [] => Handle::Other,
                [only] => member(modules, only, name),
                several => Handle::Either(several.iter().map(|handle| member(modules, handle, name)).collect()),
            }
        }
        Handle::Either(choices) => Handle::Either(choices.iter().map(|handle| member(modules, handle, name)).collect()),
        Handle::Instance(instance) => instance_member(modules, instance, name),
        Handle::Hidden => Handle::Hidden,
        Handle::Accessor(_) | Handle::UnknownAccessor | Handle::Scheduler | Handle::String(_) | Handle::Other => {
            Handle::Other
        }
    }
}
