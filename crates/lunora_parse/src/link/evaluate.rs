//! Reading expressions without running them.

use std::rc::Rc;

use lunora_diagnostics::{Code, Diagnostic, codes};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::declarations::declares;
use super::modules::{FileIndex, GeneratedModule, Modules, Symbol, function_of};
use super::suggest::hint;
use super::value::{Callable, Entry, FunctionRef, Map, Place, Placed, Value};
use crate::facts::{BindingKind, Call, Expression, ExpressionKind, Imported, Item, Name, Property};

/// Constants may lead to constants this far.
const MAX_DEPTH: u32 = 200;

/// An expression could not be read; the reason has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop;

pub(super) type Read<T> = Result<T, Stop>;

/// The parameter of a lambda that is being read.
#[derive(Clone)]
struct Scope {
    name: Name,
    value: Value,
}

#[derive(Clone)]
enum Memo {
    /// Being read: meeting it again is a circle.
    Open,
    Done(Read<Value>),
}

/// Reads expressions of the app's files and keeps what it found wrong.
pub(super) struct Evaluator<'modules> {
    pub(super) modules: &'modules Modules,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Files that were looked at; what was read depends on them.
    pub(super) asked: Vec<FileIndex>,
    memo: FxHashMap<(FileIndex, Name), Memo>,
    /// What was put into `memo`, in order, so that a quiet look can be taken back.
    journal: Vec<(FileIndex, Name)>,
    scope: Option<Scope>,
    depth: u32,
}

impl<'modules> Evaluator<'modules> {
    pub(super) fn new(modules: &'modules Modules) -> Self {
        Self {
            modules,
            diagnostics: Vec::new(),
            asked: Vec::new(),
            memo: FxHashMap::default(),
            journal: Vec::new(),
            scope: None,
            depth: 0,
        }
    }

    // ---- reporting

    pub(super) fn report(&mut self, code: Code, place: Place, message: impl Into<String>, help: impl Into<String>) {
        let path = self.modules.path(place.file);
        self.diagnostics
            .push(Diagnostic::error(code, message).at(path, place.span).with_help(help));
    }

    pub(super) fn stop<T>(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Read<T> {
        self.report(code, place, message, help);
        Err(Stop)
    }

    fn not_static<T>(&mut self, place: Place, what: &str, why: &str, help: &str) -> Read<T> {
        self.stop(
            codes::NOT_STATIC,
            place,
            format!("{what} cannot be read without running it: {why}"),
            help,
        )
    }

    // ---- expressions

    pub(super) fn place(&self, file: FileIndex, expression: &Expression) -> Place {
        Place {
            file,
            span: expression.span,
        }
    }

    pub(super) fn placed(&mut self, file: FileIndex, expression: &Expression) -> Read<Placed> {
        let value = self.read(file, expression)?;
        Ok(Placed {
            value,
            place: self.place(file, expression),
        })
    }

    pub(super) fn read(&mut self, file: FileIndex, expression: &Expression) -> Read<Value> {
        self.depth += 1;
        let value = if self.depth > MAX_DEPTH {
            let place = self.place(file, expression);
            self.not_static(
                place,
                &describe(expression),
                "it leads through too many constants",
                "Write the value in place.",
            )
        } else {
            self.read_kind(file, expression)
        };
        self.depth -= 1;
        value
    }

    fn read_kind(&mut self, file: FileIndex, expression: &Expression) -> Read<Value> {
        let place = self.place(file, expression);
        match &expression.kind {
            ExpressionKind::String(text) => Ok(Value::String(text.clone())),
            ExpressionKind::Number(number) => Ok(Value::Number(*number)),
            ExpressionKind::Bigint(digits) => Ok(Value::Bigint(digits.clone())),
            ExpressionKind::Boolean(boolean) => Ok(Value::Boolean(*boolean)),
            ExpressionKind::Null => Ok(Value::Null),
            ExpressionKind::Name(name) => self.read_name(file, name, place),
            ExpressionKind::Template { texts, expressions } => {
                let mut text = String::new();
                for (index, part) in texts.iter().enumerate() {
                    text.push_str(part);
                    let Some(expression) = expressions.get(index) else {
                        continue;
                    };
                    match self.read(file, expression)? {
                        Value::String(value) => text.push_str(&value),
                        Value::Number(value) => text.push_str(&crate::facts::number_text(value)),
                        _ => {
                            let place = self.place(file, expression);
                            return self.not_static(
                                place,
                                &describe(expression),
                                "it is neither a string nor a number",
                                "Write the whole text as one string.",
                            );
                        }
                    }
                }
                Ok(Value::String(text.into()))
            }
            ExpressionKind::Array(items) => Ok(Value::Array(Rc::new(self.read_items(file, items)?))),
            ExpressionKind::Object(properties) => self.read_object(file, properties),
            ExpressionKind::Member {
                object,
                name,
                name_span,
            } => {
                let value = self.read(file, object)?;
                let name_place = Place { file, span: *name_span };
                self.member(value, object, name, name_place)
            }
            ExpressionKind::Index { object, index } => {
                let value = self.read(file, object)?;
                let index_place = self.place(file, index);
                match (self.read(file, index)?, &value) {
                    (Value::String(name), _) => self.member(value, object, &name, index_place),
                    (Value::Number(number), Value::Array(items)) => {
                        let item = items.iter().enumerate().find(|(at, _)| number_is(number, *at));
                        match item {
                            Some((_, item)) => Ok(item.value.clone()),
                            None => self.not_static(
                                index_place,
                                &describe(expression),
                                "the array has no such element",
                                "Use an index inside the array.",
                            ),
                        }
                    }
                    _ => self.not_static(
                        index_place,
                        &describe(expression),
                        "the key is not a constant string",
                        "Write the key as a string or a constant.",
                    ),
                }
            }
            ExpressionKind::Call(call) => self.read_call(file, call, place),
            ExpressionKind::Unary { operator, operand } => {
                let value = self.read(file, operand)?;
                match (*operator, value) {
                    ("-", Value::Number(number)) => Ok(Value::Number(-number)),
                    ("+", Value::Number(number)) => Ok(Value::Number(number)),
                    ("-", Value::Bigint(digits)) => Ok(Value::Bigint(match digits.strip_prefix('-') {
                        Some(positive) => positive.into(),
                        None => format!("-{digits}").into(),
                    })),
                    ("!", Value::Boolean(boolean)) => Ok(Value::Boolean(!boolean)),
                    _ => self.not_static(
                        place,
                        &describe(expression),
                        "the operator is only followed for numbers and booleans",
                        "Write the value in place.",
                    ),
                }
            }
            ExpressionKind::Binary { operator, left, right } => {
                let left_value = self.read(file, left)?;
                let right_value = self.read(file, right)?;
                match arithmetic(operator, &left_value, &right_value) {
                    Some(value) => Ok(value),
                    None => self.not_static(
                        place,
                        &describe(expression),
                        "arithmetic is only followed for numbers, and `+` for strings",
                        "Write the value in place.",
                    ),
                }
            }
            ExpressionKind::Lambda { .. } => self.not_static(
                place,
                "a function",
                "functions are not run while reading",
                "Write the value in place.",
            ),
            ExpressionKind::Function(_) => Ok(Value::Function),
            ExpressionKind::Opaque(what) => self.not_static(
                place,
                what,
                "only literals, constants, spreads, arithmetic and the builders of Lunora are followed",
                "Write the value in place, or as a constant built from literals.",
            ),
        }
    }

    /// Reads the body of a lambda with its parameter bound.
    pub(super) fn read_lambda(&mut self, file: FileIndex, expression: &Expression, parameter: Value) -> Read<Value> {
        let ExpressionKind::Lambda { parameter: name, body } = &expression.kind else {
            let place = self.place(file, expression);
            return self.not_static(
                place,
                &describe(expression),
                "only a function that directly returns an object is followed here",
                "Write `(helper) => ({ … })` in place.",
            );
        };
        let scope = name.as_ref().map(|name| Scope {
            name: name.clone(),
            value: parameter,
        });
        let before = std::mem::replace(&mut self.scope, scope);
        let value = self.read(file, body);
        self.scope = before;
        value
    }

    fn read_name(&mut self, file: FileIndex, name: &Name, place: Place) -> Read<Value> {
        if let Some(scope) = self.scope.as_ref().filter(|scope| scope.name == *name) {
            return Ok(scope.value.clone());
        }
        let symbol = self.modules.lookup(file, name, &mut self.asked);
        self.read_symbol(symbol, name, place)
    }

    /// What a name means, wherever it was found.
    pub(super) fn read_symbol(&mut self, symbol: Symbol<'modules>, written: &Name, place: Place) -> Read<Value> {
        match symbol {
            Symbol::Binding { file, name, binding } => match &binding.kind {
                BindingKind::Constant(expression) => self.read_constant(file, name, expression, place),
                BindingKind::Function(_) => Ok(Value::Function),
                BindingKind::Class(_) => self.not_a_constant(place, written, "a class"),
                BindingKind::Other(why) => self.not_a_constant(place, written, why),
            },
            Symbol::Namespace(file) => Ok(Value::Module(file)),
            Symbol::Generated { module, name } => match (module, name) {
                (GeneratedModule::Api, Imported::Named(name)) => Ok(Value::Reference(Rc::new(vec![name]))),
                (GeneratedModule::Server, Imported::Named(name)) if &*name == "v" => Ok(Value::Validators),
                (GeneratedModule::Server, Imported::Named(name)) => {
                    Ok(self.builder(&name).unwrap_or(Value::Framework(name)))
                }
                (GeneratedModule::Server, Imported::Namespace) => Ok(Value::Builders),
                (GeneratedModule::Api | GeneratedModule::Other, _) => {
                    let what = format!("`{written}`");
                    self.not_static(
                        place,
                        &what,
                        "it comes from a generated file",
                        "Write the value in place.",
                    )
                }
            },
            Symbol::Framework(Imported::Namespace) => Ok(Value::FrameworkModule),
            Symbol::Framework(Imported::Named(name)) => Ok(framework(&name)),
            Symbol::Outside { specifier } => self.not_static(
                place,
                &format!("`{written}`"),
                &format!("it comes from `{specifier}`, which is outside the app's folder"),
                "Move the constant into a file of the app's folder, or write the value in place.",
            ),
            Symbol::Missing { specifier } => self.stop(
                codes::IMPORT_NOT_FOUND,
                place,
                format!("`{written}` is imported from `{specifier}`, which has no such export or does not exist"),
                "Correct the import, or export the name there.",
            ),
            Symbol::Global if &**written == "undefined" => {
                self.not_static(place, "`undefined`", "it declares nothing", "Leave the property out.")
            }
            Symbol::Global => self.not_static(
                place,
                &format!("`{written}`"),
                "it is not declared in the file",
                "Declare it as a `const` built from literals, or import it.",
            ),
        }
    }

    fn not_a_constant(&mut self, place: Place, written: &Name, what: &str) -> Read<Value> {
        self.not_static(
            place,
            &format!("`{written}`"),
            &format!("it is {what}"),
            "Write the value in place, or as a `const` built from literals.",
        )
    }

    fn read_constant(
        &mut self,
        file: FileIndex,
        name: Name,
        expression: &'modules Expression,
        place: Place,
    ) -> Read<Value> {
        let key = (file, name);
        match self.memo.get(&key) {
            Some(Memo::Done(value)) => return value.clone(),
            Some(Memo::Open) => {
                let message = format!("`{}` refers to itself in a circle, so that it has no value", key.1);
                let help = "Break the circle: move the constants that both sides need into a file of their own.";
                return self.stop(codes::CIRCULAR_CONSTANT, place, message, help);
            }
            None => {}
        }
        self.memo.insert(key.clone(), Memo::Open);
        self.journal.push(key.clone());
        let before = self.scope.take();
        let value = self.read(file, expression);
        self.scope = before;
        self.memo.insert(key, Memo::Done(value.clone()));
        value
    }

    pub(super) fn read_items(&mut self, file: FileIndex, items: &[Item]) -> Read<Vec<Placed>> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let placed = self.placed(file, &item.expression)?;
            if !item.spread {
                values.push(placed);
                continue;
            }
            match placed.value {
                Value::Array(items) => values.extend(items.iter().cloned()),
                _ => {
                    return self.not_static(
                        placed.place,
                        &describe(&item.expression),
                        "only arrays can be spread here",
                        "Write the elements in place.",
                    );
                }
            }
        }
        Ok(values)
    }

    fn read_object(&mut self, file: FileIndex, properties: &[Property]) -> Read<Value> {
        let mut entries: Map<Name, Entry> = Map::with_capacity_and_hasher(properties.len(), FxBuildHasher);
        let mut written: Vec<Name> = Vec::new();
        for property in properties {
            match property {
                Property::Named { name, span, value } => {
                    let key = Place { file, span: *span };
                    self.entry(file, &mut entries, &mut written, name.clone(), key, value);
                }
                Property::Computed { key, value } => {
                    let place = self.place(file, key);
                    match self.read(file, key) {
                        Ok(Value::String(name)) => {
                            self.entry(file, &mut entries, &mut written, name, place, value);
                        }
                        Ok(_) => {
                            return self.not_static(
                                place,
                                &describe(key),
                                "a computed key must be a constant string",
                                "Write the key as it is.",
                            );
                        }
                        Err(stop) => return Err(stop),
                    }
                }
                Property::Spread(expression) => {
                    let place = self.place(file, expression);
                    match self.read(file, expression)? {
                        Value::Object(spread) => {
                            for (name, entry) in spread.iter() {
                                entries.insert(name.clone(), entry.clone());
                            }
                        }
                        _ => {
                            return self.not_static(
                                place,
                                &describe(expression),
                                "only constant objects can be spread here",
                                "Write the properties in place.",
                            );
                        }
                    }
                }
                Property::Accessor(span) => {
                    let place = Place { file, span: *span };
                    return self.not_static(
                        place,
                        "a getter or setter",
                        "functions are not run while reading",
                        "Write a plain property.",
                    );
                }
            }
        }
        Ok(Value::Object(Rc::new(entries)))
    }

    fn entry(
        &mut self,
        file: FileIndex,
        entries: &mut Map<Name, Entry>,
        written: &mut Vec<Name>,
        name: Name,
        key: Place,
        value: &Expression,
    ) {
        if written.contains(&name) {
            let first = entries.get(&name).map(|entry| entry.key);
            let path = self.modules.path(key.file);
            let mut diagnostic = Diagnostic::error(
                codes::DUPLICATE_KEY,
                format!("`{name}` is declared twice in the same object; the first would be lost"),
            )
            .at(path, key.span)
            .with_help("Remove or rename one of them.");
            if let Some(first) = first {
                diagnostic = diagnostic.and_at(self.modules.path(first.file), first.span, "first declared here");
            }
            self.diagnostics.push(diagnostic);
            return;
        }
        written.push(name.clone());
        // A property that cannot be read leaves the others standing.
        let value = self.placed(file, value).ok();
        entries.insert(name, Entry { key, value });
    }

    fn member(&mut self, value: Value, object: &Expression, name: &Name, place: Place) -> Read<Value> {
        match value {
            Value::Object(entries) => match entries.get(name) {
                Some(Entry {
                    value: Some(placed), ..
                }) => Ok(placed.value.clone()),
                Some(Entry { value: None, .. }) => Err(Stop),
                None => {
                    let names: Vec<&str> = entries.keys().map(|key| &**key).collect();
                    let message = format!("{} has no property `{name}`", describe(object));
                    self.stop(codes::NOT_STATIC, place, message, hint(name, &names))
                }
            },
            Value::Module(file) => match self.modules.export(file, name, &mut self.asked) {
                Some(symbol) => self.read_symbol(symbol, name, place),
                None => {
                    let message = format!("`{}` exports no `{name}`", self.modules.path(file));
                    self.stop(
                        codes::IMPORT_NOT_FOUND,
                        place,
                        message,
                        "Correct the name, or export it there.",
                    )
                }
            },
            Value::Reference(steps) => {
                let mut steps = (*steps).clone();
                steps.push(name.clone());
                Ok(Value::Reference(Rc::new(steps)))
            }
            Value::FrameworkModule => Ok(framework(name)),
            Value::Builders if &**name == "v" => Ok(Value::Validators),
            Value::Builders if declares(name) || &**name == "definePolicy" => Ok(Value::Framework(name.clone())),
            Value::Builders => match self.builder(name) {
                Some(builder) => Ok(builder),
                None => {
                    let help = hint(name, BUILDER_NAMES);
                    self.stop(
                        codes::UNKNOWN_MODIFIER,
                        place,
                        format!("there is no builder `{name}`"),
                        help,
                    )
                }
            },
            _ => {
                let what = format!("`.{name}` of {}", describe(object));
                self.not_static(
                    place,
                    &what,
                    "only properties of constant objects are followed",
                    "Write the value in place.",
                )
            }
        }
    }

    fn read_call(&mut self, file: FileIndex, call: &Call, place: Place) -> Read<Value> {
        if let ExpressionKind::Member {
            object,
            name,
            name_span,
        } = &call.callee.kind
        {
            let name_place = Place { file, span: *name_span };
            let receiver = self.read(file, object)?;
            return self.call_method(file, receiver, object, name, name_place, call, place);
        }
        match self.read(file, &call.callee)? {
            Value::Framework(name) => self.call_framework(file, &name, call, place),
            _ => self.call_unknown(file, call),
        }
    }

    fn call_unknown<T>(&mut self, file: FileIndex, call: &Call) -> Read<T> {
        let place = self.place(file, &call.callee);
        self.not_static(
            place,
            &format!("the call of {}", describe(&call.callee)),
            "functions are not run while reading",
            "Write the result in place; fields shared by several tables can be a constant object that is spread.",
        )
    }

    #[allow(clippy::too_many_arguments)]
    fn call_method(
        &mut self,
        file: FileIndex,
        receiver: Value,
        object: &Expression,
        name: &Name,
        name_place: Place,
        call: &Call,
        place: Place,
    ) -> Read<Value> {
        match receiver {
            Value::Validators => self.call_validator(file, name, name_place, call),
            Value::Column(column) => self.modify_column(file, column, name, name_place, call),
            Value::Table(table) => self.modify_table(file, table, name, name_place, call),
            Value::Schema(schema) => self.modify_schema(file, schema, name, name_place, call),
            Value::Builder(builder) => self.chain(file, builder, name, name_place, call),
            Value::RelationHelper => self.call_relation(file, name, name_place, call, place),
            Value::TriggerHelper => self.call_trigger(file, name, name_place, call),
            Value::Builders if declares(name) => self.call_framework(file, name, call, place),
            Value::FrameworkModule => match framework(name) {
                Value::Framework(name) => self.call_framework(file, &name, call, place),
                _ => self.call_unknown(file, call),
            },
            Value::Module(_) => match self.member(receiver, object, name, name_place)? {
                Value::Framework(name) => self.call_framework(file, &name, call, place),
                _ => self.call_unknown(file, call),
            },
            Value::Init => match &**name {
                "dataModel" => Ok(Value::Init),
                "create" => Ok(Value::Builders),
                _ => {
                    let help = hint(name, &["dataModel", "create"]);
                    self.stop(
                        codes::UNKNOWN_MODIFIER,
                        name_place,
                        format!("`initLunora` has no `.{name}()`"),
                        help,
                    )
                }
            },
            _ => self.call_unknown(file, call),
        }
    }

    fn call_framework(&mut self, file: FileIndex, name: &Name, call: &Call, place: Place) -> Read<Value> {
        match &**name {
            "defineTable" => self.define_table(file, call, place),
            "defineSchema" => self.define_schema(file, call, place),
            "defineSchemaExtension" => self.define_extension(file, call, place),
            "mutator" | "defineMutator" => self.define_mutator(file, name, call),
            "shape" | "defineShape" => self.define_shape(file, name, call),
            "defineMigration" => self.define_migration(file, name, call),
            "definePresence" => self.define_presence(file, name, call),
            _ => self.call_unknown(file, call),
        }
    }

    // ---- arguments

    /// The argument at an index, read.
    pub(super) fn argument(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        expects: &str,
    ) -> Read<Placed> {
        match call.arguments.get(index) {
            Some(item) if !item.spread => self.placed(file, &item.expression),
            Some(item) => {
                let place = self.place(file, &item.expression);
                self.not_static(
                    place,
                    "a spread argument",
                    "arguments are read one by one",
                    "Write the arguments out.",
                )
            }
            None => {
                let place = self.place(file, &call.callee);
                let message = format!("`{owner}` is called without {expects}");
                self.stop(codes::BAD_ARGUMENT, place, message, format!("Give it {expects}."))
            }
        }
    }

    pub(super) fn string_argument(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        expects: &str,
    ) -> Read<(Name, Place)> {
        let placed = self.argument(file, call, index, owner, expects)?;
        match placed.value {
            Value::String(text) => Ok((text, placed.place)),
            _ => self.expected(placed.place, owner, expects),
        }
    }

    pub(super) fn expected<T>(&mut self, place: Place, owner: &str, expects: &str) -> Read<T> {
        let message = format!("`{owner}` expects {expects} here");
        self.stop(codes::BAD_ARGUMENT, place, message, format!("Write {expects}."))
    }

    /// The properties of an options argument, each known by name; `None` when it is left out.
    pub(super) fn options(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        known: &[&str],
    ) -> Read<Option<Rc<Map<Name, Entry>>>> {
        if call.arguments.get(index).is_none() {
            return Ok(None);
        }
        let placed = self.argument(file, call, index, owner, "an options object")?;
        let Value::Object(entries) = placed.value else {
            return self.expected(placed.place, owner, "an options object");
        };
        for (name, entry) in entries.iter() {
            if !known.contains(&&**name) {
                let message = format!("`{owner}` has no option `{name}`");
                self.report(codes::UNKNOWN_OPTION, entry.key, message, hint(name, known));
            }
        }
        Ok(Some(entries))
    }

    pub(super) fn too_many_arguments(&mut self, file: FileIndex, call: &Call, most: usize, owner: &str) {
        if let Some(item) = call.arguments.get(most) {
            let place = self.place(file, &item.expression);
            let message = format!("`{owner}` takes at most {most} arguments; this one would be ignored");
            self.report(codes::BAD_ARGUMENT, place, message, "Remove it.");
        }
    }

    // ---- functions

    /// What is called when an expression is given as a handler or a middleware.
    pub(super) fn callable(&mut self, file: FileIndex, expression: &Expression) -> Callable {
        self.callable_within(file, expression, 16)
    }

    fn callable_within(&mut self, file: FileIndex, expression: &Expression, fuel: u32) -> Callable {
        let place = self.place(file, expression);
        let unseen = || Callable::Unseen(describe(expression), place);
        let Some(fuel) = fuel.checked_sub(1) else {
            return unseen();
        };
        match &expression.kind {
            ExpressionKind::Function(index) => Callable::Function(FunctionRef { file, index: *index }),
            ExpressionKind::Name(_) | ExpressionKind::Member { .. } => match self.symbol_of(file, expression) {
                Some(symbol) => self.callable_symbol(&symbol, fuel, unseen()),
                None => unseen(),
            },
            // What a function of the app returns, when it directly returns a function.
            ExpressionKind::Call(call) => match self.callable_within(file, &call.callee, fuel) {
                Callable::Function(maker) => {
                    let returned = self
                        .modules
                        .facts(maker.file)
                        .functions
                        .get(maker.index as usize)
                        .and_then(|facts| facts.returns_function);
                    match returned {
                        Some(index) => Callable::Function(FunctionRef {
                            file: maker.file,
                            index,
                        }),
                        None => unseen(),
                    }
                }
                Callable::Trusted => Callable::Trusted,
                Callable::Unseen(..) => unseen(),
            },
            _ => unseen(),
        }
    }

    fn callable_symbol(&mut self, symbol: &Symbol<'modules>, fuel: u32, unseen: Callable) -> Callable {
        match symbol {
            Symbol::Binding { file, binding, .. } => match function_of(binding) {
                Some(index) => Callable::Function(FunctionRef { file: *file, index }),
                None => match &binding.kind {
                    BindingKind::Constant(expression) => match self.callable_within(*file, expression, fuel) {
                        Callable::Unseen(..) => unseen,
                        found => found,
                    },
                    _ => unseen,
                },
            },
            Symbol::Framework(_) | Symbol::Generated { .. } => Callable::Trusted,
            _ => unseen,
        }
    }

    /// What a name, or a member of an imported module or of a constant object, means.
    pub(super) fn symbol_of(&mut self, file: FileIndex, expression: &Expression) -> Option<Symbol<'modules>> {
        match &expression.kind {
            ExpressionKind::Name(name) => Some(self.modules.lookup(file, name, &mut self.asked)),
            ExpressionKind::Member { object, name, .. } => match self.symbol_of(file, object)? {
                Symbol::Namespace(target) => self.modules.export(target, name, &mut self.asked),
                symbol @ (Symbol::Framework(_) | Symbol::Generated { .. } | Symbol::Outside { .. }) => Some(symbol),
                _ => None,
            },
            _ => None,
        }
    }

    /// Reads without reporting; `None` when it cannot be read.
    pub(super) fn quietly(&mut self, file: FileIndex, expression: &Expression) -> Option<Value> {
        let before = self.diagnostics.len();
        let journal = self.journal.len();
        let value = self.read(file, expression).ok();
        if self.diagnostics.len() > before {
            // What failed quietly must be reported when it is read for real.
            self.diagnostics.truncate(before);
            for key in self.journal.drain(journal..) {
                self.memo.remove(&key);
            }
        }
        value
    }
}

/// The builders of `_generated/server`.
pub(super) const BUILDER_NAMES: &[&str] = &[
    "query",
    "mutation",
    "action",
    "internalQuery",
    "internalMutation",
    "internalAction",
    "shape",
    "mutator",
    "definePolicy",
    "defineMigration",
];

fn framework(name: &Name) -> Value {
    match &**name {
        "v" => Value::Validators,
        "initLunora" => Value::Init,
        _ => Value::Framework(name.clone()),
    }
}

fn number_is(number: f64, index: usize) -> bool {
    u32::try_from(index).is_ok_and(|index| f64::from(index) == number)
}

fn arithmetic(operator: &str, left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let value = match operator {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                "%" => left % right,
                "**" => left.powf(*right),
                _ => return None,
            };
            Some(Value::Number(value))
        }
        (Value::String(left), Value::String(right)) if operator == "+" => {
            Some(Value::String(format!("{left}{right}").into()))
        }
        _ => None,
    }
}

/// An expression for a message, short: names and members as written, anything else by what it is.
pub(super) fn describe(expression: &Expression) -> String {
    match written(expression) {
        Some(text) => format!("`{text}`"),
        None => match &expression.kind {
            ExpressionKind::Opaque(what) => (*what).to_owned(),
            ExpressionKind::Object(_) => "the object".to_owned(),
            ExpressionKind::Array(_) => "the array".to_owned(),
            ExpressionKind::Function(_) | ExpressionKind::Lambda { .. } => "the function".to_owned(),
            _ => "the expression".to_owned(),
        },
    }
}

fn written(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Name(name) => Some(name.to_string()),
        ExpressionKind::String(text) if text.len() <= 60 => Some(format!("{text:?}")),
        ExpressionKind::Number(number) => Some(crate::facts::number_text(*number)),
        ExpressionKind::Boolean(boolean) => Some(boolean.to_string()),
        ExpressionKind::Null => Some("null".to_owned()),
        ExpressionKind::Member { object, name, .. } => written(object).map(|object| format!("{object}.{name}")),
        ExpressionKind::Call(call) => written(&call.callee).map(|callee| format!("{callee}(…)")),
        _ => None,
    }
}
