//! `.relations` and `r.one`, `r.many`.

use std::rc::Rc;

use lunora_diagnostics::codes;
use lunora_ir::{OnDelete, RelationKind};

use crate::facts::{Call, Name};
use crate::link::evaluate::{Evaluator, Read};
use crate::link::modules::FileIndex;
use crate::link::suggest::hint;
use crate::link::value::{Place, RelationValue, TableValue, Value};

impl Evaluator<'_> {
    pub(super) fn relations(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
        let entries = self.declared(file, call, owner, Value::RelationHelper)?;
        for (name, entry) in entries.iter() {
            let Some(placed) = &entry.value else {
                table.incomplete = true;
                continue;
            };
            let Value::Relation(relation) = &placed.value else {
                return self.expected(
                    placed.place,
                    owner,
                    "`r.one(table, { field })` or `r.many(table, { field })`",
                );
            };
            if table.relations.iter().any(|(before, ..)| before == name) {
                let message = format!("the relation `{name}` is declared twice");
                self.report(
                    codes::DUPLICATE_KEY,
                    entry.key,
                    message,
                    "Remove or rename one of them.",
                );
                continue;
            }
            table.relations.push((name.clone(), entry.key, relation.clone()));
        }
        Ok(())
    }

    pub(in crate::link) fn call_relation(
        &mut self,
        file: FileIndex,
        name: &Name,
        name_place: Place,
        call: &Call,
        place: Place,
    ) -> Read<Value> {
        let kind = match &**name {
            "one" => RelationKind::One,
            "many" => RelationKind::Many,
            _ => {
                let message = format!("there is no relation `.{name}`");
                return self.stop(
                    codes::UNKNOWN_MODIFIER,
                    name_place,
                    message,
                    hint(name, &["one", "many"]),
                );
            }
        };
        let owner = format!("r.{name}");
        let table = self.string_argument(file, call, 0, &owner, "the name of a table")?;
        let known: &[&str] = match kind {
            RelationKind::One => &["field", "references", "onDelete"],
            RelationKind::Many => &["field", "references"],
        };
        let options = self.options(file, call, 1, &owner, known)?;
        let Some(options) = options else {
            return self.expected(place, &owner, "`{ field }`, the field that holds the key");
        };
        let Some(field) = self.string_option(&options, "field", &owner)? else {
            return self.expected(place, &owner, "`{ field }`, the field that holds the key");
        };
        let references = self.string_option(&options, "references", &owner)?;
        let on_delete = match self.string_option(&options, "onDelete", &owner)? {
            Some((text, place)) => Some(match &*text {
                "cascade" => OnDelete::Cascade,
                "restrict" => OnDelete::Restrict,
                "set null" => OnDelete::SetNull,
                _ => return self.expected(place, &owner, "`\"cascade\"`, `\"restrict\"` or `\"set null\"`"),
            }),
            None => None,
        };
        Ok(Value::Relation(Rc::new(RelationValue {
            kind,
            table,
            field,
            references,
            on_delete,
        })))
    }
}
