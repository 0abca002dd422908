//! Calls of the builders of Lunora; no other function is run.

use lunora_diagnostics::codes;

use super::describe::describe;
use super::names::framework;
use super::{Evaluator, Read};
use crate::facts::{Call, Expression, ExpressionKind, Name};
use crate::link::declarations::declares;
use crate::link::modules::FileIndex;
use crate::link::suggest::hint;
use crate::link::value::{Place, Value};

impl Evaluator<'_> {
    pub(super) fn read_call(&mut self, file: FileIndex, call: &Call, place: Place) -> Read<Value> {
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
            "shapesOf" => Ok(Value::Framework("defineShape".into())),
            "mutatorsOf" => Ok(Value::Framework("defineMutator".into())),
            "policiesOf" => Ok(Value::Framework("definePolicy".into())),
            "migrationsOf" => Ok(Value::Framework("defineMigration".into())),
            _ => self.call_unknown(file, call),
        }
    }
}
