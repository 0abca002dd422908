//! Builder chains: `query.input({ … }).use(…).query(handler)`.

use std::rc::Rc;

use indexmap::IndexMap;
use lunora_diagnostics::codes;
use lunora_ir::{FanOutMerge, FunctionKind, MergeDirection, Validator, Visibility};

use super::declarations::declares;
use super::evaluate::{Evaluator, Read, Stop};
use super::modules::FileIndex;
use super::suggest::hint;
use super::value::{BuilderValue, Entry, Form, Map, Place, Placed, RegisteredValue, Value};
use crate::facts::{Call, Expression, ExpressionKind, Name};

const CHAIN: &[&str] = &["input", "output", "use", "meta", "shard", "fanOut"];
const MERGES: &[&str] = &["concat", "topK", "first", "sum", "min", "max", "groupBy"];

impl Evaluator<'_> {
    /// A builder by the name it is exported with.
    pub(super) fn builder(&mut self, name: &Name) -> Option<Value> {
        let (kind, visibility) = match &**name {
            "query" => (FunctionKind::Query, Visibility::Public),
            "mutation" => (FunctionKind::Mutation, Visibility::Public),
            "action" => (FunctionKind::Action, Visibility::Public),
            "internalQuery" => (FunctionKind::Query, Visibility::Internal),
            "internalMutation" => (FunctionKind::Mutation, Visibility::Internal),
            "internalAction" => (FunctionKind::Action, Visibility::Internal),
            _ => return None,
        };
        Some(Value::Builder(Rc::new(BuilderValue {
            kind,
            visibility,
            input: Map::default(),
            output: None,
            middleware: Vec::new(),
            shard: None,
            fan_out: None,
            incomplete: false,
        })))
    }

    pub(super) fn chain(
        &mut self,
        file: FileIndex,
        builder: Rc<BuilderValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let owner = format!(".{name}");
        if &**name == "stream" && builder.kind == FunctionKind::Query {
            return self.finish_stream(file, builder, name_place, call);
        }
        if matches!(&**name, "query" | "mutation" | "action") {
            return self.finish_chain(file, builder, name, name_place, call);
        }
        let mut builder = Rc::unwrap_or_clone(builder);
        // What cannot be read has been reported; the function stands without it.
        let outcome = match &**name {
            "input" => self.input(file, &mut builder, call, &owner),
            "output" => self
                .argument(file, call, 0, &owner, "a validator")
                .and_then(|placed| self.column(&placed, &owner))
                .map(|column| builder.output = Some(column)),
            "use" => match call.arguments.first() {
                Some(item) => {
                    let callable = self.callable(file, &item.expression);
                    builder.middleware.push(callable);
                    Ok(())
                }
                None => self.expected(name_place, &owner, "a middleware"),
            },
            "meta" => Ok(()),
            "shard" => self
                .string_argument(file, call, 0, &owner, "the name of an argument, or `\"__root__\"`")
                .map(|shard| builder.shard = Some(shard)),
            "fanOut" => self.fan_out(file, &mut builder, call, &owner),
            _ => {
                let mut known = CHAIN.to_vec();
                known.push(terminal(builder.kind));
                if builder.kind == FunctionKind::Query {
                    known.push("stream");
                }
                let message = format!("a {} has no `.{name}()`", terminal(builder.kind));
                self.report(codes::UNKNOWN_MODIFIER, name_place, message, hint(name, &known));
                Err(Stop)
            }
        };
        builder.incomplete |= outcome.is_err();
        Ok(Value::Builder(Rc::new(builder)))
    }

    fn finish_chain(
        &mut self,
        file: FileIndex,
        builder: Rc<BuilderValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let expected = terminal(builder.kind);
        if &**name != expected {
            let message = format!("this chain began with a {expected} builder and ends in `.{name}()`");
            let help = format!("End it with `.{expected}(handler)`, or begin it with `{name}`.");
            return self.stop(codes::UNKNOWN_MODIFIER, name_place, message, help);
        }
        let Some(item) = call.arguments.first() else {
            return self.expected(name_place, &format!(".{name}"), "a handler");
        };
        let handler = self.callable(file, &item.expression);
        Ok(Value::Registered(Rc::new(RegisteredValue {
            form: Form::Chain,
            builder,
            handler,
            client_half: None,
        })))
    }

    /// `.stream(async function* … , { durable })`: a query in all but how it answers.
    fn finish_stream(
        &mut self,
        file: FileIndex,
        builder: Rc<BuilderValue>,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let Some(item) = call.arguments.first() else {
            return self.expected(name_place, ".stream", "an async generator");
        };
        if let Some((_, place)) = &builder.fan_out {
            let help = "Remove `.fanOut`, and name the shard in the input.";
            return self.stop(codes::FAN_OUT_STREAM, *place, "a stream cannot run on all shards", help);
        }
        let handler = self.callable(file, &item.expression);
        let mut builder = Rc::unwrap_or_clone(builder);
        builder.kind = FunctionKind::Stream;
        Ok(Value::Registered(Rc::new(RegisteredValue {
            form: Form::Chain,
            builder: Rc::new(builder),
            handler,
            client_half: None,
        })))
    }

    fn input(&mut self, file: FileIndex, builder: &mut BuilderValue, call: &Call, owner: &str) -> Read<()> {
        let placed = self.argument(file, call, 0, owner, "an object of validators")?;
        self.input_of(builder, &placed, owner)
    }

    /// Takes the arguments that an object of validators declares.
    pub(super) fn input_of(&mut self, builder: &mut BuilderValue, placed: &Placed, owner: &str) -> Read<()> {
        let Value::Object(entries) = &placed.value else {
            return self.expected(placed.place, owner, "an object of validators");
        };
        let mut whole = true;
        for (name, entry) in entries.iter() {
            let Some(value) = &entry.value else {
                whole = false;
                continue;
            };
            match self.column(value, owner) {
                Ok(column) => {
                    builder.input.insert(name.clone(), (entry.key, column));
                }
                Err(Stop) => whole = false,
            }
        }
        if whole { Ok(()) } else { Err(Stop) }
    }

    fn fan_out(&mut self, file: FileIndex, builder: &mut BuilderValue, call: &Call, owner: &str) -> Read<()> {
        let known = ["kind", "by", "k", "direction", "value", "operation"];
        let placed = self.argument(file, call, 0, owner, "`{ kind, … }`")?;
        let Some(options) = self.options(file, call, 0, owner, &known)? else {
            return self.expected(placed.place, owner, "`{ kind, … }`");
        };
        let Some((kind, kind_place)) = text(&options, "kind") else {
            return self.expected(placed.place, owner, "`kind`, the way results become one");
        };
        let direction = match text(&options, "direction") {
            Some((text, place)) => Some(match &*text {
                "asc" => MergeDirection::Ascending,
                "desc" => MergeDirection::Descending,
                _ => return self.expected(place, owner, "`\"asc\"` or `\"desc\"`"),
            }),
            None => None,
        };
        let by = text(&options, "by").map(|(text, _)| text.to_string());
        let allowed: &[&str] = match &*kind {
            "concat" => &["kind", "by", "direction"],
            "topK" => &["kind", "by", "k", "direction"],
            "groupBy" => &["kind", "by", "value", "operation"],
            _ => &["kind"],
        };
        for (name, entry) in options.iter() {
            if known.contains(&&**name) && !allowed.contains(&&**name) {
                let message = format!("`{kind}` has no option `{name}`");
                self.report(codes::UNKNOWN_OPTION, entry.key, message, hint(name, allowed));
            }
        }
        let merge = match &*kind {
            "concat" => FanOutMerge::Concat { by, direction },
            "topK" => {
                let Some(by) = by else {
                    return self.expected(placed.place, owner, "`by`, the field to order by");
                };
                FanOutMerge::TopK {
                    by,
                    k: self.count(&options, "k", placed.place, owner)?,
                    direction: direction.unwrap_or(MergeDirection::Descending),
                }
            }
            "first" => FanOutMerge::First,
            "sum" => FanOutMerge::Sum,
            "min" => FanOutMerge::Min,
            "max" => FanOutMerge::Max,
            "groupBy" => {
                let (Some(by), Some((value, _)), Some((operation, operation_place))) =
                    (by, text(&options, "value"), text(&options, "operation"))
                else {
                    return self.expected(placed.place, owner, "`by`, `value` and `operation`");
                };
                if !matches!(&*operation, "sum" | "min" | "max" | "count") {
                    return self.expected(operation_place, owner, "`\"sum\"`, `\"min\"`, `\"max\"` or `\"count\"`");
                }
                FanOutMerge::GroupBy {
                    by,
                    value: value.to_string(),
                    operation: operation.to_string(),
                }
            }
            _ => {
                let message = format!("results cannot be merged by `{kind}`");
                return self.stop(codes::BAD_ARGUMENT, kind_place, message, hint(&kind, MERGES));
            }
        };
        builder.fan_out = Some((merge, placed.place));
        Ok(())
    }

    fn count(&mut self, options: &Map<Name, Entry>, name: &str, place: Place, owner: &str) -> Read<u32> {
        let expects = format!("`{name}`, a whole number of at least 1");
        match options.get(&Name::from(name)).and_then(|entry| entry.value.as_ref()) {
            Some(Placed {
                value: Value::Number(number),
                place,
            }) => {
                let whole = number.fract() == 0.0 && *number >= 1.0 && *number <= f64::from(u32::MAX);
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked just above
                if whole {
                    Ok(*number as u32)
                } else {
                    self.expected(*place, owner, &expects)
                }
            }
            _ => self.expected(place, owner, &expects),
        }
    }

    /// Whether an expression is a builder chain, a shape, a mutator or a migration, looked at without reporting anything:
    /// what its innermost name means decides.
    pub(super) fn is_chain(&mut self, file: FileIndex, expression: &Expression) -> bool {
        let mut inner = expression;
        let mut called = false;
        loop {
            match &inner.kind {
                ExpressionKind::Call(call) => {
                    called = true;
                    inner = &call.callee;
                }
                ExpressionKind::Member { object, .. } if called || matches!(object.kind, ExpressionKind::Name(_)) => {
                    // The base may itself be a member: `server.query`.
                    match self.base(file, inner) {
                        Some(Value::Builder(_)) => return true,
                        Some(Value::Framework(name)) if declares(&name) => return true,
                        _ => {}
                    }
                    inner = object;
                }
                _ => break,
            }
        }
        match self.base(file, inner) {
            Some(
                Value::Builder(_) | Value::Registered(_) | Value::Shape(_) | Value::Migration(_) | Value::Presence,
            ) => true,
            Some(Value::Framework(name)) => declares(&name),
            _ => false,
        }
    }

    fn base(&mut self, file: FileIndex, expression: &Expression) -> Option<Value> {
        match &expression.kind {
            ExpressionKind::Name(_) => self.quietly(file, expression),
            ExpressionKind::Member { object, .. } if matches!(object.kind, ExpressionKind::Name(_)) => {
                self.quietly(file, expression)
            }
            _ => None,
        }
    }
}

fn text(options: &Map<Name, Entry>, name: &str) -> Option<(Name, Place)> {
    match options.get(&Name::from(name))?.value.as_ref()? {
        Placed {
            value: Value::String(text),
            place,
        } => Some((text.clone(), *place)),
        _ => None,
    }
}

/// The name of the call that ends a chain.
pub(super) fn terminal(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Query => "query",
        FunctionKind::Mutation => "mutation",
        FunctionKind::Action => "action",
        FunctionKind::Stream => "stream",
    }
}

/// The validators of a map of columns.
pub(super) fn validators(fields: &Map<Name, (Place, Rc<super::value::ColumnValue>)>) -> IndexMap<String, Validator> {
    fields
        .iter()
        .map(|(name, (_, column))| (name.to_string(), column.validator.clone()))
        .collect()
}
