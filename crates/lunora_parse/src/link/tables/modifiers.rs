//! Modifiers of a table that take constants: its tier, its indexes and its lifetime.

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::ShardMode;

use crate::facts::{Call, Name};
use crate::link::evaluate::{Evaluator, Read, Stop};
use crate::link::modules::FileIndex;
use crate::link::value::{Entry, IndexValue, Place, TableValue, Value};

/// The field of `.softDelete()` when none is named.
const SOFT_DELETE_FIELD: &str = "deletedAt";

impl Evaluator<'_> {
    pub(super) fn set_tier(&mut self, table: &mut TableValue, mode: ShardMode, place: Place) {
        if let Some((before, first)) = &table.shard_mode {
            if *before != mode {
                let path = self.modules.path(place.file);
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::CONFLICTING_TIER,
                        "a table lives in one tier, and this is the second one declared",
                    )
                    .at(path, place.span)
                    .and_at(self.modules.path(first.file), first.span, "first declared here")
                    .with_help("Keep one of `.shardBy`, `.colocated` and `.global`."),
                );
            }
            return;
        }
        table.shard_mode = Some((mode, place));
    }

    pub(super) fn global_options(&mut self, file: FileIndex, call: &Call, owner: &str) -> Read<()> {
        if let Some(options) = self.options(file, call, 0, owner, &["backend"])?
            && let Some(Entry {
                value: Some(backend), ..
            }) = options.get(&Name::from("backend"))
            && !matches!(&backend.value, Value::String(text) if &**text == "d1")
        {
            return self.expected(backend.place, owner, "`\"d1\"`, the one backend there is");
        }
        Ok(())
    }

    pub(super) fn index(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
        let (name, place) = self.string_argument(file, call, 0, owner, "the name of the index")?;
        let list = self.argument(file, call, 1, owner, "an array of field names")?;
        let Value::Array(items) = &list.value else {
            return self.expected(list.place, owner, "an array of field names");
        };
        let mut fields: Vec<(Name, Place)> = Vec::with_capacity(items.len());
        for item in items.iter() {
            let Value::String(field) = &item.value else {
                return self.expected(item.place, owner, "the name of a field");
            };
            if fields.iter().any(|(before, _)| before == field) {
                let message = format!("the index `{name}` lists `{field}` twice");
                self.report(codes::BAD_ARGUMENT, item.place, message, "Remove one of them.");
            } else {
                fields.push((field.clone(), item.place));
            }
        }
        if fields.is_empty() {
            return self.expected(list.place, owner, "at least one field name");
        }
        let unique = match self.options(file, call, 2, owner, &["unique"])? {
            Some(options) => self.boolean_option(options.get(&Name::from("unique")), owner)?,
            None => false,
        };
        self.too_many_arguments(file, call, 3, owner);
        table.indexes.push(IndexValue {
            name,
            fields,
            unique,
            place,
        });
        Ok(())
    }

    pub(super) fn soft_delete(
        &mut self,
        file: FileIndex,
        table: &mut TableValue,
        name_place: Place,
        call: &Call,
        owner: &str,
    ) -> Read<()> {
        let field = match self.options(file, call, 0, owner, &["field"])? {
            Some(options) => self.string_option(&options, "field", owner)?,
            None => None,
        };
        table.soft_delete = Some(field.unwrap_or_else(|| (SOFT_DELETE_FIELD.into(), name_place)));
        Ok(())
    }

    pub(super) fn time_to_live(
        &mut self,
        file: FileIndex,
        table: &mut TableValue,
        call: &Call,
        owner: &str,
    ) -> Read<()> {
        let (field, place) = self.string_argument(file, call, 0, owner, "the name of a field")?;
        let after = match self.options(file, call, 1, owner, &["after"])? {
            None => 0.0,
            Some(options) => match options.get(&Name::from("after")) {
                None => 0.0,
                Some(Entry { value: None, .. }) => return Err(Stop),
                Some(Entry {
                    value: Some(placed), ..
                }) => match placed.value {
                    Value::Number(after) if after.is_finite() && after >= 0.0 => after,
                    _ => return self.expected(placed.place, owner, "a number of milliseconds, zero or more"),
                },
            },
        };
        table.time_to_live = Some((field, place, after));
        Ok(())
    }
}
