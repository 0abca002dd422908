//! `v.*` and the modifiers of columns.

use std::rc::Rc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{LiteralValue, Validator};
use rustc_hash::FxBuildHasher;

use super::evaluate::{Evaluator, Read, Stop};
use super::modules::FileIndex;
use super::suggest::hint;
use super::value::{ColumnValue, Map, Place, Placed, Value};
use crate::facts::{Call, Name, number_text};

const VALIDATORS: &[&str] = &[
    "any",
    "array",
    "bigint",
    "boolean",
    "bytes",
    "date",
    "from",
    "geoPoint",
    "id",
    "literal",
    "null",
    "number",
    "object",
    "optional",
    "record",
    "storage",
    "string",
    "timestamp",
    "union",
];

const COLUMN_MODIFIERS: &[&str] = &[
    "default",
    "$defaultFn",
    "$onUpdateFn",
    "serverDefault",
    "nullable",
    "optional",
    "unique",
    "$type",
    "defaultNow",
    "check",
    "meta",
];

impl Evaluator<'_> {
    pub(super) fn call_validator(
        &mut self,
        file: FileIndex,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        if let Some(validator) = plain(name).filter(|_| call.arguments.is_empty()) {
            let column = ColumnValue {
                validator,
                has_default: false,
                unique: false,
                references: Vec::new(),
            };
            return Ok(Value::Column(Rc::new(column)));
        }
        let owner = format!("v.{name}");
        let mut references = Vec::new();
        let mut most = 0;
        let validator = match &**name {
            plain_name if plain(plain_name).is_some() => plain(plain_name).unwrap_or(Validator::Any),
            "from" => {
                most = 1;
                if call.arguments.is_empty() {
                    return self.expected(name_place, &owner, "a Standard Schema");
                }
                Validator::Foreign
            }
            "storage" => {
                most = 1;
                let bucket = match call.arguments.is_empty() {
                    true => None,
                    false => Some(
                        self.string_argument(file, call, 0, &owner, "the name of a bucket")?
                            .0
                            .to_string(),
                    ),
                };
                Validator::Storage { bucket }
            }
            "id" => {
                most = 1;
                let (table, place) = self.string_argument(file, call, 0, &owner, "the name of a table")?;
                references.push((table.clone(), place));
                Validator::Id {
                    table: table.to_string(),
                }
            }
            "literal" => {
                most = 1;
                let placed = self.argument(file, call, 0, &owner, "a literal")?;
                Validator::Literal {
                    value: self.literal(&placed)?,
                }
            }
            "array" => {
                most = 1;
                let item = self.inner(file, call, 0, &owner, &mut references)?;
                Validator::Array { item: Box::new(item) }
            }
            "optional" => {
                most = 1;
                let placed = self.argument(file, call, 0, &owner, "a validator")?;
                let column = self.column(&placed, &owner)?;
                self.too_many_arguments(file, call, most, &owner);
                return Ok(Value::Column(Rc::new(optional(&column))));
            }
            "object" => {
                most = 1;
                let placed = self.argument(file, call, 0, &owner, "an object of validators")?;
                let fields = self.fields(&placed, &owner)?;
                let mut inner = indexmap::IndexMap::with_capacity(fields.len());
                for (name, (_, column)) in &fields {
                    references.extend(column.references.iter().cloned());
                    inner.insert(name.to_string(), column.validator.clone());
                }
                Validator::Object { fields: inner }
            }
            "record" => {
                most = 2;
                let key = self.inner(file, call, 0, &owner, &mut references)?;
                let value = self.inner(file, call, 1, &owner, &mut references)?;
                if !makes_strings(&key) {
                    let place = self.place(file, &call.arguments[0].expression);
                    return self.expected(
                        place,
                        &owner,
                        "a validator of strings for the keys, such as `v.string()`",
                    );
                }
                Validator::Record {
                    key: Box::new(key),
                    value: Box::new(value),
                }
            }
            "union" => {
                most = usize::MAX;
                let items = self.read_items(file, &call.arguments)?;
                if items.is_empty() {
                    return self.expected(name_place, &owner, "at least one validator");
                }
                let mut members = Vec::with_capacity(items.len());
                for item in &items {
                    let column = self.column(item, &owner)?;
                    self.not_optional(&column.validator, item.place, &owner);
                    references.extend(column.references.iter().cloned());
                    members.push(column.validator.clone());
                }
                Validator::Union { members }
            }
            _ => {
                return self.stop(
                    codes::UNKNOWN_VALIDATOR,
                    name_place,
                    format!("there is no validator `v.{name}`"),
                    hint(name, VALIDATORS),
                );
            }
        };
        self.too_many_arguments(file, call, most, &owner);
        Ok(Value::Column(Rc::new(ColumnValue {
            validator,
            has_default: false,
            unique: false,
            references,
        })))
    }

    fn literal(&mut self, placed: &Placed) -> Read<LiteralValue> {
        Ok(match &placed.value {
            Value::String(text) => LiteralValue::String(text.to_string()),
            Value::Number(number) if number.is_finite() => LiteralValue::Number(number_text(*number)),
            Value::Boolean(boolean) => LiteralValue::Boolean(*boolean),
            Value::Bigint(digits) => LiteralValue::Bigint(digits.to_string()),
            Value::Null => LiteralValue::Null,
            _ => {
                return self.expected(
                    placed.place,
                    "v.literal",
                    "a string, a number, a boolean, a bigint or `null`",
                );
            }
        })
    }

    fn inner(
        &mut self,
        file: FileIndex,
        call: &Call,
        index: usize,
        owner: &str,
        references: &mut Vec<(Name, Place)>,
    ) -> Read<Validator> {
        let placed = self.argument(file, call, index, owner, "a validator")?;
        let column = self.column(&placed, owner)?;
        self.not_optional(&column.validator, placed.place, owner);
        references.extend(column.references.iter().cloned());
        Ok(column.validator.clone())
    }

    fn not_optional(&mut self, validator: &Validator, place: Place, owner: &str) {
        if validator.is_optional() {
            self.report(
                codes::BAD_ARGUMENT,
                place,
                format!("`v.optional(…)` means nothing inside `{owner}`: only a field can be left out"),
                "Remove `v.optional`, or use `.nullable()`.",
            );
        }
    }

    pub(super) fn column(&mut self, placed: &Placed, owner: &str) -> Read<Rc<ColumnValue>> {
        match &placed.value {
            Value::Column(column) => Ok(column.clone()),
            _ => self.expected(placed.place, owner, "a validator, such as `v.string()`"),
        }
    }

    /// An object of validators; fields that cannot be read are reported and left out.
    pub(super) fn fields(&mut self, placed: &Placed, owner: &str) -> Read<Map<Name, (Place, Rc<ColumnValue>)>> {
        let entries = match &placed.value {
            Value::Object(entries) => entries.clone(),
            _ => return self.expected(placed.place, owner, "an object of validators"),
        };
        let mut fields = Map::with_capacity_and_hasher(entries.len(), FxBuildHasher);
        let mut failed = false;
        for (name, entry) in entries.iter() {
            let column = match &entry.value {
                Some(placed) => self.column(placed, owner),
                None => Err(Stop),
            };
            match column {
                Ok(column) => {
                    fields.insert(name.clone(), (entry.key, column));
                }
                Err(Stop) => failed = true,
            }
        }
        if failed { Err(Stop) } else { Ok(fields) }
    }

    pub(super) fn modify_column(
        &mut self,
        file: FileIndex,
        column: Rc<ColumnValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let mut column = (*column).clone();
        match &**name {
            "default" | "$defaultFn" | "serverDefault" => {
                if call.arguments.is_empty() {
                    return self.expected(name_place, &format!(".{name}"), "what the default is");
                }
                column.has_default = true;
            }
            "defaultNow" => {
                if !matches!(
                    column.validator.unwrapped(),
                    Validator::Timestamp | Validator::Date | Validator::Number
                ) {
                    self.report(
                        codes::BAD_ARGUMENT,
                        name_place,
                        "`.defaultNow()` is a time, and the column holds something else",
                        "Use it on `v.timestamp()`, `v.date()` or `v.number()`.",
                    );
                }
                column.has_default = true;
            }
            "nullable" => column.validator = wrap(column.validator, |inner| Validator::Nullable { inner }),
            "optional" => column = optional(&column),
            "unique" => column.unique = true,
            "$type" => match &call.type_argument {
                Some(argument) if argument.foreign.is_empty() => {
                    let text = argument.text.clone();
                    column.validator = wrap(column.validator, |inner| Validator::Typed { inner, text });
                }
                Some(argument) => {
                    let names = argument.foreign.iter().map(|name| &**name);
                    let path = self.modules.path(file);
                    let message = format!(
                        "`$type<{}>` names {}, which the generated types cannot import; they will use the type of the validator",
                        argument.text,
                        super::suggest::listed(names)
                    );
                    self.diagnostics.push(
                        Diagnostic::warning(codes::TYPE_NOT_PORTABLE, message)
                            .at(path, argument.span)
                            .with_help("Write the type out with built-in types alone."),
                    );
                }
                None => return self.expected(name_place, ".$type", "a type argument"),
            },
            "$onUpdateFn" | "check" | "meta" => {}
            _ => {
                return self.stop(
                    codes::UNKNOWN_MODIFIER,
                    name_place,
                    format!("a validator has no modifier `.{name}`"),
                    hint(name, COLUMN_MODIFIERS),
                );
            }
        }
        Ok(Value::Column(Rc::new(column)))
    }
}

/// The validators that take no argument.
fn plain(name: &str) -> Option<Validator> {
    Some(match name {
        "string" => Validator::String,
        "number" => Validator::Number,
        "boolean" => Validator::Boolean,
        "null" => Validator::Null,
        "bigint" => Validator::Bigint,
        "bytes" => Validator::Bytes,
        "timestamp" => Validator::Timestamp,
        "date" => Validator::Date,
        "geoPoint" => Validator::GeoPoint,
        "any" => Validator::Any,
        _ => return None,
    })
}

/// Keeps `Optional` outermost: whether a field can be left out is said of the field.
fn wrap(validator: Validator, with: impl FnOnce(Box<Validator>) -> Validator) -> Validator {
    match validator {
        Validator::Optional { inner } => Validator::Optional {
            inner: Box::new(with(inner)),
        },
        other => with(Box::new(other)),
    }
}

fn optional(column: &ColumnValue) -> ColumnValue {
    let mut column = column.clone();
    if !column.validator.is_optional() {
        column.validator = Validator::Optional {
            inner: Box::new(column.validator),
        };
    }
    column
}

fn makes_strings(validator: &Validator) -> bool {
    match validator {
        Validator::String | Validator::Id { .. } | Validator::Storage { .. } => true,
        Validator::Literal { value } => matches!(value, LiteralValue::String(_)),
        Validator::Union { members } => members.iter().all(makes_strings),
        Validator::Typed { inner, .. } => makes_strings(inner),
        _ => false,
    }
}
