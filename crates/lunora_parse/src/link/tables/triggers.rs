//! `.triggers` and `t.beforeInsert` and its like.

use std::rc::Rc;

use lunora_diagnostics::codes;
use lunora_ir::{TriggerEvent, TriggerTiming};

use crate::facts::{Call, Name};
use crate::link::evaluate::{Evaluator, Read};
use crate::link::modules::FileIndex;
use crate::link::suggest::hint;
use crate::link::value::{Place, TableValue, TriggerValue, Value};

impl Evaluator<'_> {
    pub(super) fn triggers(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
        let entries = self.declared(file, call, owner, Value::TriggerHelper)?;
        for (name, entry) in entries.iter() {
            let Some(placed) = &entry.value else {
                table.incomplete = true;
                continue;
            };
            let Value::Trigger(trigger) = &placed.value else {
                return self.expected(placed.place, owner, "`t.beforeInsert(handler)` or another trigger");
            };
            if table.triggers.iter().any(|(before, ..)| before == name) {
                let message = format!("the trigger `{name}` is declared twice");
                self.report(
                    codes::DUPLICATE_KEY,
                    entry.key,
                    message,
                    "Remove or rename one of them.",
                );
                continue;
            }
            table.triggers.push((name.clone(), entry.key, trigger.clone()));
        }
        Ok(())
    }

    pub(in crate::link) fn call_trigger(
        &mut self,
        file: FileIndex,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let (timing, event) = match &**name {
            "beforeInsert" => (TriggerTiming::Before, TriggerEvent::Insert),
            "beforeUpdate" => (TriggerTiming::Before, TriggerEvent::Update),
            "beforeDelete" => (TriggerTiming::Before, TriggerEvent::Delete),
            "afterInsert" => (TriggerTiming::After, TriggerEvent::Insert),
            "afterUpdate" => (TriggerTiming::After, TriggerEvent::Update),
            "afterDelete" => (TriggerTiming::After, TriggerEvent::Delete),
            _ => {
                let known = [
                    "beforeInsert",
                    "beforeUpdate",
                    "beforeDelete",
                    "afterInsert",
                    "afterUpdate",
                    "afterDelete",
                ];
                let message = format!("there is no trigger `.{name}`");
                return self.stop(codes::UNKNOWN_MODIFIER, name_place, message, hint(name, &known));
            }
        };
        let Some(item) = call.arguments.first() else {
            return self.expected(name_place, &format!("t.{name}"), "a handler");
        };
        let handler = Rc::new(self.callable(file, &item.expression));
        Ok(Value::Trigger(TriggerValue { timing, event, handler }))
    }
}
