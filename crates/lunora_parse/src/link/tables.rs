//! `defineTable`, `defineSchema` and their modifiers.

mod modifiers;
mod options;
mod relations;
mod schema;
mod triggers;

use std::rc::Rc;

use lunora_diagnostics::codes;
use lunora_ir::ShardMode;
use rustc_hash::FxBuildHasher;

use super::evaluate::{Evaluator, Read, Stop};
use super::modules::FileIndex;
use super::suggest::hint;
use super::value::{Entry, Map, Place, TableValue, Value};
use crate::facts::{Call, ExpressionKind, Name};

const TABLE_MODIFIERS: &[&str] = &[
    "index",
    "relations",
    "triggers",
    "shardBy",
    "colocated",
    "global",
    "softDelete",
    "ttl",
    "public",
];

impl Evaluator<'_> {
    pub(super) fn define_table(&mut self, file: FileIndex, call: &Call, place: Place) -> Read<Value> {
        let owner = "defineTable";
        let placed = self.argument(file, call, 0, owner, "an object of validators")?;
        self.too_many_arguments(file, call, 1, owner);
        let (columns, incomplete) = match &placed.value {
            Value::Object(entries) => {
                let mut columns = Map::with_capacity_and_hasher(entries.len(), FxBuildHasher);
                let mut incomplete = false;
                for (name, entry) in entries.iter() {
                    let column = match &entry.value {
                        Some(placed) => self.column(placed, owner),
                        None => Err(Stop),
                    };
                    match column {
                        Ok(column) => {
                            columns.insert(name.clone(), (entry.key, column));
                        }
                        Err(Stop) => incomplete = true,
                    }
                }
                (columns, incomplete)
            }
            _ => return self.expected(placed.place, owner, "an object of validators"),
        };
        Ok(Value::Table(Rc::new(TableValue {
            place,
            columns,
            incomplete,
            indexes: Vec::new(),
            relations: Vec::new(),
            triggers: Vec::new(),
            shard_mode: None,
            soft_delete: None,
            time_to_live: None,
            is_public: false,
        })))
    }

    pub(super) fn modify_table(
        &mut self,
        file: FileIndex,
        table: Rc<TableValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let mut table = Rc::unwrap_or_clone(table);
        let owner = format!(".{name}");
        // A modifier whose arguments cannot be read has been reported; the table stands without it.
        let outcome = match &**name {
            "index" => self.index(file, &mut table, call, &owner),
            "relations" => self.relations(file, &mut table, call, &owner),
            "triggers" => self.triggers(file, &mut table, call, &owner),
            "shardBy" => self
                .string_argument(file, call, 0, &owner, "the name of a field")
                .map(|(field, place)| {
                    self.set_tier(
                        &mut table,
                        ShardMode::ShardBy {
                            field: field.to_string(),
                        },
                        place,
                    );
                }),
            "colocated" => {
                self.set_tier(&mut table, ShardMode::Colocated, name_place);
                Ok(())
            }
            "global" => {
                self.set_tier(&mut table, ShardMode::Global, name_place);
                self.global_options(file, call, &owner)
            }
            "softDelete" => self.soft_delete(file, &mut table, name_place, call, &owner),
            "ttl" => self.time_to_live(file, &mut table, call, &owner),
            "public" => {
                table.is_public = true;
                Ok(())
            }
            _ => {
                let message = format!("a table has no modifier `.{name}`");
                self.report(
                    codes::UNKNOWN_MODIFIER,
                    name_place,
                    message,
                    hint(name, TABLE_MODIFIERS),
                );
                Err(Stop)
            }
        };
        if outcome.is_err() {
            table.incomplete = true;
        }
        Ok(Value::Table(Rc::new(table)))
    }

    /// The object that a declaration's function returns.
    fn declared(&mut self, file: FileIndex, call: &Call, owner: &str, helper: Value) -> Read<Rc<Map<Name, Entry>>> {
        let Some(item) = call.arguments.first() else {
            let place = self.place(file, &call.callee);
            return self.expected(place, owner, "a function that returns an object");
        };
        let place = self.place(file, &item.expression);
        // An object that was declared elsewhere is as good as one in place.
        let value = match &item.expression.kind {
            ExpressionKind::Lambda { .. } => self.read_lambda(file, &item.expression, helper)?,
            ExpressionKind::Function(_) => {
                let message = "the function cannot be read without running it: it does more than return an object";
                let help = format!("Write `{owner}((helper) => ({{ … }}))`.");
                return self.stop(codes::NOT_STATIC, place, message, help);
            }
            _ => self.read(file, &item.expression)?,
        };
        match value {
            Value::Object(entries) => Ok(entries),
            _ => self.expected(place, owner, "a function that returns an object"),
        }
    }
}
