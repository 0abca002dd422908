//! Expressions, kind by kind.

use std::rc::Rc;

use super::arithmetic::{arithmetic, number_is};
use super::describe::describe;
use super::{Evaluator, Read};
use crate::facts::{Expression, ExpressionKind};
use crate::link::modules::FileIndex;
use crate::link::value::{Place, Value};

impl Evaluator<'_> {
    pub(super) fn read_kind(&mut self, file: FileIndex, expression: &Expression) -> Read<Value> {
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
}
