//! Properties of what has been read.

use std::rc::Rc;

use lunora_diagnostics::codes;

use super::describe::describe;
use super::names::framework;
use super::{Evaluator, Read, Stop};
use crate::facts::{Expression, Name};
use crate::link::declarations::declares;
use crate::link::suggest::hint;
use crate::link::value::{Entry, Place, Value};

/// The builders of `_generated/server`.
const BUILDER_NAMES: &[&str] = &[
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

impl Evaluator<'_> {
    pub(super) fn member(&mut self, value: Value, object: &Expression, name: &Name, place: Place) -> Read<Value> {
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
}
