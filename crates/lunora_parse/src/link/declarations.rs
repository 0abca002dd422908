//! `shape({ … })`, `mutator({ … })`, `defineMigration({ … })` and `definePresence({ … })`.

use std::rc::Rc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{FunctionKind, Visibility};

use super::evaluate::{Evaluator, Read, Stop, describe};
use super::modules::{FileIndex, Symbol};
use super::suggest::hint;
use super::value::{
    BuilderValue, Callable, Form, Map, MigrationValue, Place, Placed, RegisteredValue, ShapeValue, Value,
};
use crate::facts::{BindingKind, Call, Expression, ExpressionKind, Name, Property};

const MUTATOR_OPTIONS: &[&str] = &["args", "apply", "server", "use"];
const MIGRATION_OPTIONS: &[&str] = &["id", "table", "up", "down", "batchSize"];
const PRESENCE_OPTIONS: &[&str] = &["data", "authorize"];
const SHAPE_OPTIONS: &[&str] = &["table", "args", "where", "columns", "use"];

/// How long a chain of constants may be on the way to a list of middleware.
const MAX_LISTS: u32 = 16;

/// An option as it is written: what it is given need not be data.
struct Written<'call> {
    name: &'call Name,
    key: Place,
    value: &'call Expression,
}

/// Whether what a package of ours exports by this name makes something that is known by name once it is exported.
pub(super) fn declares(name: &str) -> bool {
    matches!(
        name,
        "shape" | "defineShape" | "mutator" | "defineMutator" | "defineMigration" | "definePresence"
    )
}

fn empty_builder(kind: FunctionKind) -> BuilderValue {
    BuilderValue {
        kind,
        visibility: Visibility::Public,
        input: Map::default(),
        output: None,
        middleware: Vec::new(),
        shard: None,
        fan_out: None,
        incomplete: false,
    }
}

impl Evaluator<'_> {
    /// The options of a call, written in place: functions among them are followed and not read.
    fn written_options<'call>(
        &mut self,
        file: FileIndex,
        call: &'call Call,
        owner: &str,
        known: &[&str],
    ) -> Read<Vec<Written<'call>>> {
        let callee = self.place(file, &call.callee);
        let Some(item) = call.arguments.first() else {
            return self.expected(callee, owner, "an object of options");
        };
        self.too_many_arguments(file, call, 1, owner);
        let in_place = "Write `{ … }` with each option by name in place.";
        let ExpressionKind::Object(properties) = &item.expression.kind else {
            let what = describe(&item.expression);
            let message = format!("{what} cannot be read without running it: the options of `{owner}` are not visible");
            let place = self.place(file, &item.expression);
            return self.stop(codes::NOT_STATIC, place, message, in_place);
        };
        let mut options = Vec::with_capacity(properties.len());
        for property in properties {
            let place = match property {
                Property::Named { name, span, value } => {
                    let key = Place { file, span: *span };
                    if !known.contains(&&**name) {
                        let message = format!("`{owner}` has no option `{name}`");
                        self.report(codes::UNKNOWN_OPTION, key, message, hint(name, known));
                    }
                    options.push(Written { name, key, value });
                    continue;
                }
                Property::Computed { key, .. } => self.place(file, key),
                Property::Spread(expression) => self.place(file, expression),
                Property::Accessor(span) => Place { file, span: *span },
            };
            let message = format!("which option of `{owner}` this is cannot be read without running it");
            return self.stop(codes::NOT_STATIC, place, message, in_place);
        }
        Ok(options)
    }

    pub(super) fn define_mutator(&mut self, file: FileIndex, owner: &str, call: &Call) -> Read<Value> {
        let options = self.written_options(file, call, owner, MUTATOR_OPTIONS)?;
        let mut builder = empty_builder(FunctionKind::Mutation);
        self.arguments_of(file, &mut builder, &options, owner);
        if let Some(option) = option(&options, "use") {
            self.middleware_of(file, option.value, &mut builder.middleware, MAX_LISTS);
        }
        let Some(apply) = option(&options, "apply") else {
            let place = self.place(file, &call.callee);
            return self.expected(place, owner, "`apply`, what the client shows in advance,");
        };
        let apply = self.callable(file, apply.value);
        let (handler, client_half) = match option(&options, "server") {
            Some(server) => (self.callable(file, server.value), Some(apply)),
            None => (apply, None),
        };
        Ok(Value::Registered(Rc::new(RegisteredValue {
            form: Form::Mutator,
            builder: Rc::new(builder),
            handler,
            client_half,
        })))
    }

    pub(super) fn define_shape(&mut self, file: FileIndex, owner: &str, call: &Call) -> Read<Value> {
        let options = self.written_options(file, call, owner, SHAPE_OPTIONS)?;
        let Some(table) = option(&options, "table") else {
            let place = self.place(file, &call.callee);
            return self.expected(place, owner, "`table`, the name of the table whose rows it shares,");
        };
        let table = self.text_of(file, table, owner, "the name of a table")?;
        let mut builder = empty_builder(FunctionKind::Query);
        self.arguments_of(file, &mut builder, &options, owner);
        if let Some(option) = option(&options, "use") {
            // What policies read is theirs to say; anything else has no function to stand around.
            let mut middleware = Vec::new();
            self.middleware_of(file, option.value, &mut middleware, MAX_LISTS);
            if middleware.iter().any(|one| matches!(one, Callable::Function(_))) {
                let message = "`use` of a shape takes what `rls` returns, and nothing else";
                let help = "Write `use: [rls(policies)]`.";
                self.report(codes::BAD_ARGUMENT, option.key, message, help);
            }
        }
        let handler = match option(&options, "where") {
            Some(condition) => self.callable(file, condition.value),
            None => Callable::Trusted,
        };
        Ok(Value::Shape(Rc::new(ShapeValue {
            table,
            columns: self.columns_of(file, &options),
            registered: Rc::new(RegisteredValue {
                form: Form::Shape,
                builder: Rc::new(builder),
                handler,
                client_half: None,
            }),
        })))
    }

    pub(super) fn define_migration(&mut self, file: FileIndex, owner: &str, call: &Call) -> Read<Value> {
        let options = self.written_options(file, call, owner, MIGRATION_OPTIONS)?;
        let mut needed = |name: &str, expects: &str| match option(&options, name) {
            Some(option) => Ok(option),
            None => {
                let place = self.place(file, &call.callee);
                self.expected(place, owner, expects)
            }
        };
        let id = needed("id", "`id`, the name that stays for ever,")?;
        let table = needed("table", "`table`, the name of the table whose rows it transforms,")?;
        needed("up", "`up`, which makes the next document of a row,")?;
        Ok(Value::Migration(Rc::new(MigrationValue {
            id: self.text_of(file, id, owner, "an id that is a text")?,
            table: self.text_of(file, table, owner, "the name of a table")?,
            has_down: option(&options, "down").is_some(),
        })))
    }

    /// What members say of themselves is validated where they say it, and typed by TypeScript.
    pub(super) fn define_presence(&mut self, file: FileIndex, owner: &str, call: &Call) -> Read<Value> {
        let options = self.written_options(file, call, owner, PRESENCE_OPTIONS)?;
        let place = self.place(file, &call.callee);
        if option(&options, "data").is_none() {
            return self.expected(place, owner, "`data`, what members say of themselves,");
        }
        if option(&options, "authorize").is_none() {
            let path = self.modules.path(place.file);
            let help = "Write `authorize: ({ identity, room }) => …`, which answers whether the caller may enter.";
            self.diagnostics.push(
                Diagnostic::warning(
                    codes::PRESENCE_CLOSED,
                    "nobody may enter these rooms: there is no `authorize`",
                )
                .at(path, place.span)
                .with_help(help),
            );
        }
        Ok(Value::Presence)
    }

    /// A text that can be read without running anything.
    fn text_of(&mut self, file: FileIndex, option: &Written<'_>, owner: &str, expects: &str) -> Read<(Name, Place)> {
        match self.placed(file, option.value)? {
            Placed {
                value: Value::String(text),
                place,
            } => Ok((text, place)),
            other => self.expected(other.place, owner, expects),
        }
    }

    fn arguments_of(&mut self, file: FileIndex, builder: &mut BuilderValue, options: &[Written<'_>], owner: &str) {
        let Some(option) = option(options, "args") else {
            return;
        };
        let outcome = self
            .placed(file, option.value)
            .and_then(|placed| self.input_of(builder, &placed, owner));
        builder.incomplete |= outcome == Err(Stop);
    }

    /// The columns that can be read; the others are checked when the shape is first asked for.
    fn columns_of(&mut self, file: FileIndex, options: &[Written<'_>]) -> Vec<(Name, Place)> {
        let Some(option) = option(options, "columns") else {
            return Vec::new();
        };
        let Some(Value::Array(items)) = self.quietly(file, option.value) else {
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| match &item.value {
                Value::String(name) => Some((name.clone(), item.place)),
                _ => None,
            })
            .collect()
    }

    /// `[first, ...more]`, in place or through constants.
    fn middleware_of(&mut self, file: FileIndex, expression: &Expression, list: &mut Vec<Callable>, fuel: u32) {
        let place = self.place(file, expression);
        let unseen = Callable::Unseen(describe(expression), place);
        match (&expression.kind, fuel.checked_sub(1)) {
            (ExpressionKind::Array(items), Some(fuel)) => {
                for item in items {
                    if item.spread {
                        self.middleware_of(file, &item.expression, list, fuel);
                    } else {
                        let callable = self.callable(file, &item.expression);
                        list.push(callable);
                    }
                }
            }
            (ExpressionKind::Name(_) | ExpressionKind::Member { .. }, Some(fuel)) => {
                match self.symbol_of(file, expression) {
                    Some(Symbol::Binding { file, binding, .. }) => match &binding.kind {
                        BindingKind::Constant(value) => self.middleware_of(file, value, list, fuel),
                        _ => list.push(unseen),
                    },
                    _ => list.push(unseen),
                }
            }
            _ => list.push(unseen),
        }
    }
}

fn option<'options, 'call>(options: &'options [Written<'call>], name: &str) -> Option<&'options Written<'call>> {
    options.iter().find(|option| &**option.name == name)
}
