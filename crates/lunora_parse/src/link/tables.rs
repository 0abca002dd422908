//! `defineTable`, `defineSchema` and their modifiers.

use std::rc::Rc;

use lunora_diagnostics::{Diagnostic, codes};
use lunora_ir::{JURISDICTIONS, OnDelete, RelationKind, ShardMode, TriggerEvent, TriggerTiming};
use rustc_hash::FxBuildHasher;

use super::evaluate::{Evaluator, Read, Stop, describe};
use super::modules::FileIndex;
use super::suggest::{hint, nearest};
use super::value::{
    Entry, ExtensionValue, IndexValue, Map, Place, Placed, RelationValue, SchemaValue, TableMap, TableValue,
    TriggerValue, Value,
};
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
const SCHEMA_MODIFIERS: &[&str] = &["rls", "extend", "jurisdiction"];
/// Only files of the app's folder are read.
const EXTENSION_HELP: &str = "Declare it with `defineSchemaExtension(key, { tables })` in a file of the app's folder.";
/// The field of `.softDelete()` when none is named.
const SOFT_DELETE_FIELD: &str = "deletedAt";

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

    fn set_tier(&mut self, table: &mut TableValue, mode: ShardMode, place: Place) {
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

    fn global_options(&mut self, file: FileIndex, call: &Call, owner: &str) -> Read<()> {
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

    fn index(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
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

    fn boolean_option(&mut self, entry: Option<&Entry>, owner: &str) -> Read<bool> {
        match entry {
            None => Ok(false),
            Some(Entry { value: None, .. }) => Err(Stop),
            Some(Entry {
                value: Some(placed), ..
            }) => match placed.value {
                Value::Boolean(boolean) => Ok(boolean),
                _ => self.expected(placed.place, owner, "`true` or `false`"),
            },
        }
    }

    fn string_option(&mut self, options: &Map<Name, Entry>, name: &str, owner: &str) -> Read<Option<(Name, Place)>> {
        match options.get(&Name::from(name)) {
            None => Ok(None),
            Some(Entry { value: None, .. }) => Err(Stop),
            Some(Entry {
                value: Some(placed), ..
            }) => match &placed.value {
                Value::String(text) => Ok(Some((text.clone(), placed.place))),
                _ => self.expected(placed.place, owner, "a string"),
            },
        }
    }

    fn soft_delete(
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

    fn time_to_live(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
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

    fn relations(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
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

    pub(super) fn call_relation(
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

    fn triggers(&mut self, file: FileIndex, table: &mut TableValue, call: &Call, owner: &str) -> Read<()> {
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

    pub(super) fn call_trigger(&mut self, file: FileIndex, name: &Name, name_place: Place, call: &Call) -> Read<Value> {
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

    // ---- schema

    /// The tables of an object, and whether one of them could not be read.
    fn tables(&mut self, placed: &Placed, owner: &str) -> Read<(TableMap, bool)> {
        let Value::Object(entries) = &placed.value else {
            return self.expected(placed.place, owner, "an object of tables");
        };
        let mut tables = Map::with_capacity_and_hasher(entries.len(), FxBuildHasher);
        let mut incomplete = false;
        for (name, entry) in entries.iter() {
            match &entry.value {
                None => incomplete = true,
                Some(Placed {
                    value: Value::Table(table),
                    ..
                }) => {
                    incomplete |= table.incomplete;
                    tables.insert(name.clone(), (entry.key, table.clone()));
                }
                Some(placed) => {
                    incomplete = true;
                    let message = format!("`{name}` is not a table");
                    self.report(
                        codes::BAD_ARGUMENT,
                        placed.place,
                        message,
                        "Write `defineTable({ … })`.",
                    );
                }
            }
        }
        Ok((tables, incomplete))
    }

    pub(super) fn define_schema(&mut self, file: FileIndex, call: &Call, _place: Place) -> Read<Value> {
        let placed = self.argument(file, call, 0, "defineSchema", "an object of tables")?;
        self.too_many_arguments(file, call, 1, "defineSchema");
        let (tables, incomplete) = self.tables(&placed, "defineSchema")?;
        Ok(Value::Schema(Rc::new(SchemaValue {
            tables,
            incomplete,
            jurisdiction: None,
            rls_required: false,
        })))
    }

    pub(super) fn define_extension(&mut self, file: FileIndex, call: &Call, _place: Place) -> Read<Value> {
        let owner = "defineSchemaExtension";
        let (key, _) = self.string_argument(file, call, 0, owner, "the key of the extension")?;
        let Some(options) = self.options(file, call, 1, owner, &["tables"])? else {
            let place = self.place(file, &call.callee);
            return self.expected(place, owner, "`{ tables }`");
        };
        let (tables, incomplete) = match options.get(&Name::from("tables")) {
            Some(Entry {
                value: Some(placed), ..
            }) => self.tables(placed, owner)?,
            _ => {
                let place = self.place(file, &call.callee);
                return self.expected(place, owner, "`{ tables }`");
            }
        };
        Ok(Value::Extension(Rc::new(ExtensionValue {
            key,
            tables,
            incomplete,
        })))
    }

    pub(super) fn modify_schema(
        &mut self,
        file: FileIndex,
        schema: Rc<SchemaValue>,
        name: &Name,
        name_place: Place,
        call: &Call,
    ) -> Read<Value> {
        let mut schema = Rc::unwrap_or_clone(schema);
        let owner = format!(".{name}");
        match &**name {
            "rls" => {
                if let Ok((mode, place)) = self.string_argument(file, call, 0, &owner, "`\"required\"`") {
                    if &*mode == "required" {
                        schema.rls_required = true;
                    } else {
                        let _ = self.expected::<()>(place, &owner, "`\"required\"`");
                    }
                }
            }
            "jurisdiction" => self.jurisdiction(file, &mut schema, name_place, call, &owner),
            "extend" => self.extend(file, &mut schema, call, &owner),
            _ => {
                let message = format!("a schema has no modifier `.{name}`");
                self.report(
                    codes::UNKNOWN_MODIFIER,
                    name_place,
                    message,
                    hint(name, SCHEMA_MODIFIERS),
                );
            }
        }
        Ok(Value::Schema(Rc::new(schema)))
    }

    fn jurisdiction(&mut self, file: FileIndex, schema: &mut SchemaValue, name_place: Place, call: &Call, owner: &str) {
        let Ok((region, place)) = self.string_argument(file, call, 0, owner, "a region") else {
            return;
        };
        if !JURISDICTIONS.contains(&&*region) {
            let help = match nearest(&region, JURISDICTIONS.iter().copied()) {
                Some(candidate) => format!("Did you mean `{candidate}`?"),
                None => hint(&region, JURISDICTIONS),
            };
            let message = format!("`{region}` is not a jurisdiction of Durable Objects");
            self.report(codes::UNKNOWN_JURISDICTION, place, message, help);
            return;
        }
        match &schema.jurisdiction {
            Some(before) if **before != *region => {
                let message = format!("the schema is already pinned to `{before}`; it has one jurisdiction");
                self.report(
                    codes::UNKNOWN_JURISDICTION,
                    name_place,
                    message,
                    "Keep one `.jurisdiction(…)`.",
                );
            }
            _ => schema.jurisdiction = Some(region.to_string()),
        }
    }

    fn extend(&mut self, file: FileIndex, schema: &mut SchemaValue, call: &Call, owner: &str) {
        let reported = self.diagnostics.len();
        schema.incomplete = match self.argument(file, call, 0, owner, "an extension") {
            Err(Stop) => {
                self.say_where_extensions_are_read(reported, file, call);
                true
            }
            Ok(placed) => match &placed.value {
                Value::Extension(extension) => {
                    for (name, (place, table)) in &extension.tables {
                        let full: Name = format!("{}_{name}", extension.key).into();
                        if schema.tables.contains_key(&full) {
                            let message = format!("the extension's table `{full}` exists already");
                            self.report(codes::DUPLICATE_KEY, placed.place, message, "Rename one of them.");
                        } else {
                            schema.tables.insert(full, (*place, table.clone()));
                        }
                    }
                    schema.incomplete || extension.incomplete
                }
                _ => {
                    let what = call
                        .arguments
                        .first()
                        .map_or_else(String::new, |item| describe(&item.expression));
                    let message = format!("{what} is not an extension that can be read without running it");
                    self.report(codes::NOT_STATIC, placed.place, message, EXTENSION_HELP);
                    true
                }
            },
        };
    }

    /// An extension of a package is not read; what helps is not what helps for a constant.
    fn say_where_extensions_are_read(&mut self, reported: usize, file: FileIndex, call: &Call) {
        let Some(item) = call.arguments.first() else { return };
        let (path, span) = (self.modules.path(file), item.expression.span);
        for diagnostic in &mut self.diagnostics[reported..] {
            let is_here = diagnostic.labels.first().is_some_and(|label| {
                label.file == path && span.start <= label.span.start && label.span.end <= span.end
            });
            if is_here && diagnostic.code == codes::NOT_STATIC {
                diagnostic.help = Some(EXTENSION_HELP.to_owned());
            }
        }
    }
}
