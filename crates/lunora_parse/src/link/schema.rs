//! The schema of the app: tables checked against each other.

use std::sync::Arc;

use indexmap::IndexMap;
use lunora_diagnostics::{Diagnostic, Severity, Span, codes};
use lunora_ir::{
    Column, Index, LiteralValue, Relation, RelationKind, ShardMode, SoftDelete, Table, TimeToLive, Trigger, Validator,
};

use super::evaluate::Evaluator;
use super::modules::{FileIndex, Modules};
use super::suggest::hint;
use super::value::{Callable, Place, SchemaValue, TableValue, Value};
use crate::facts::Name;

/// Columns that every table has.
pub(super) const SYSTEM_FIELDS: &[&str] = &["_id", "_creationTime"];

/// Members of `ctx.db`, which a table of the same name would hide.
const DATABASE_MEMBERS: &[&str] = &[
    "asId",
    "delete",
    "deleteAll",
    "deleteMany",
    "deleteWhere",
    "get",
    "insert",
    "insertMany",
    "insertManyUnsafe",
    "normalizeId",
    "patch",
    "patchMany",
    "patchWhere",
    "query",
    "replace",
    "system",
    "wipeShard",
];

/// Names that are no plain property in JavaScript.
const OBJECT_MEMBERS: &[&str] = &["__proto__", "constructor", "prototype", "toString", "valueOf", "then"];

/// The text form that shard values of a field share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShardKind {
    Text,
    Number,
    Bigint,
}

/// The schema as functions see it.
#[derive(Debug, Default)]
pub(super) struct SchemaModel {
    pub(super) tables: IndexMap<String, Arc<Table>>,
    /// The handlers of each table's triggers.
    pub(super) triggers: IndexMap<String, Vec<Callable>>,
    /// Something could not be read: unknown names may be right.
    pub(super) incomplete: bool,
    pub(super) jurisdiction: Option<String>,
    pub(super) rls_required: bool,
    pub(super) export: String,
    pub(super) file: String,
}

impl SchemaModel {
    /// The shard fields of the app, each once.
    pub(super) fn shard_fields(&self) -> Vec<&str> {
        let mut fields: Vec<&str> = Vec::new();
        for table in self.tables.values() {
            if let ShardMode::ShardBy { field } = &table.shard_mode
                && !fields.contains(&field.as_str())
            {
                fields.push(field);
            }
        }
        fields
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.tables.keys().map(String::as_str).collect()
    }
}

pub(super) struct LinkedSchema {
    pub(super) model: Arc<SchemaModel>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) asked: Vec<FileIndex>,
}

/// Reads the schema.
pub(super) fn link_schema(modules: &Modules) -> LinkedSchema {
    let path = format!("{}/schema", modules.directory);
    let mut model = SchemaModel {
        incomplete: true,
        ..SchemaModel::default()
    };
    let Some(file) = modules.find(&path) else {
        let diagnostic = Diagnostic::error(codes::SCHEMA_NOT_FOUND, format!("there is no `{path}.ts`"))
            .with_help("Create it with `export const schema = defineSchema({ … });`.");
        return LinkedSchema {
            model: Arc::new(model),
            diagnostics: vec![diagnostic],
            asked: Vec::new(),
        };
    };
    model.file = modules.path(file).to_owned();
    let mut evaluator = Evaluator::new(modules);
    evaluator.asked.push(file);
    // A file that does not parse has said so; its names are unknown until it does.
    if modules.file(file).parses() {
        read_schema(&mut evaluator, file, &mut model);
    }
    let whole = !evaluator.asked.iter().any(|file| !modules.file(*file).parses());
    model.incomplete |= !whole;
    LinkedSchema {
        model: Arc::new(model),
        diagnostics: evaluator.diagnostics,
        asked: evaluator.asked,
    }
}

fn read_schema(evaluator: &mut Evaluator<'_>, file: FileIndex, model: &mut SchemaModel) {
    let modules = evaluator.modules;
    let facts = modules.facts(file);
    let Some(export) = ["schema", "default"]
        .iter()
        .find_map(|name| facts.exports.iter().find(|export| &*export.name == *name))
    else {
        let place = Place {
            file,
            span: Span::default(),
        };
        evaluator.report(
            codes::SCHEMA_NOT_FOUND,
            place,
            format!("`{}` exports no schema", modules.path(file)),
            "Write `export const schema = defineSchema({ … });`.",
        );
        return;
    };
    model.export = export.name.to_string();
    let place = Place {
        file,
        span: export.span,
    };
    let symbol = modules.export_target(file, &export.target, &mut evaluator.asked, 64);
    match evaluator.read_symbol(symbol, &export.name, place) {
        Ok(Value::Schema(schema)) => build(evaluator, &schema, model),
        Ok(_) => evaluator.report(
            codes::SCHEMA_NOT_FOUND,
            place,
            format!("`{}` is exported as the schema and is none", export.name),
            "Write `export const schema = defineSchema({ … });`.",
        ),
        Err(_) => {}
    }
}

fn build(evaluator: &mut Evaluator<'_>, schema: &SchemaValue, model: &mut SchemaModel) {
    let errors = |evaluator: &Evaluator<'_>| {
        evaluator
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    };
    model.incomplete = schema.incomplete || errors(evaluator);
    model.jurisdiction.clone_from(&schema.jurisdiction);
    model.rls_required = schema.rls_required;
    for (name, (place, table)) in &schema.tables {
        check_table_name(evaluator, name, *place);
        let built = build_table(evaluator, schema, name, table);
        model.tables.insert(name.to_string(), Arc::new(built));
        let triggers = table
            .triggers
            .iter()
            .map(|(_, _, trigger)| (*trigger.handler).clone())
            .collect();
        model.triggers.insert(name.to_string(), triggers);
    }
    check_shard_kinds(evaluator, schema);
}

fn check_table_name(evaluator: &mut Evaluator<'_>, name: &Name, place: Place) {
    let why = if DATABASE_MEMBERS.contains(&&**name) {
        Some("`ctx.db` has a method of that name".to_owned())
    } else if OBJECT_MEMBERS.contains(&&**name) {
        Some("every JavaScript object has a member of that name".to_owned())
    } else if name.starts_with('_') {
        Some("names that begin with `_` belong to Lunora".to_owned())
    } else if !is_identifier(name) {
        Some("a table's name is a letter followed by letters, digits and `_`".to_owned())
    } else if name.len() > 64 {
        Some("a table's name has at most 64 characters".to_owned())
    } else {
        None
    };
    if let Some(why) = why {
        let message = format!("a table cannot be called `{name}`: {why}");
        evaluator.report(codes::RESERVED_NAME, place, message, "Choose another name.");
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn check_field_name(evaluator: &mut Evaluator<'_>, name: &Name, place: Place) {
    let why = if name.starts_with('_') {
        "fields that begin with `_` belong to Lunora"
    } else if OBJECT_MEMBERS.contains(&&**name) {
        "every JavaScript object has a member of that name"
    } else if name.is_empty() || name.contains(['"', '\\', '$', '\0', '.', '[', ']', '\'']) {
        "it cannot be part of an index expression"
    } else {
        return;
    };
    let message = format!("a field cannot be called `{name}`: {why}");
    evaluator.report(codes::RESERVED_NAME, place, message, "Choose another name.");
}

fn has_field(table: &TableValue, field: &str) -> bool {
    SYSTEM_FIELDS.contains(&field) || table.columns.keys().any(|column| &**column == field) || table.incomplete
}

fn field_names(table: &TableValue) -> Vec<&str> {
    table
        .columns
        .keys()
        .map(|column| &**column)
        .chain(SYSTEM_FIELDS.iter().copied())
        .collect()
}

fn check_field(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue, field: &(Name, Place)) -> bool {
    let known = has_field(table, &field.0);
    if !known {
        let message = format!("{owner} has no field `{}`", field.0);
        evaluator.report(
            codes::UNKNOWN_FIELD,
            field.1,
            message,
            hint(&field.0, &field_names(table)),
        );
    }
    known
}

fn build_table(evaluator: &mut Evaluator<'_>, schema: &SchemaValue, name: &Name, table: &TableValue) -> Table {
    let owner = format!("the table `{name}`");
    let mut columns = IndexMap::with_capacity(table.columns.len());
    let mut indexes = IndexMap::new();
    for (field, (place, column)) in &table.columns {
        check_field_name(evaluator, field, *place);
        check_references(evaluator, schema, &column.references);
        if column.unique {
            let index = Index {
                fields: vec![field.to_string()],
                unique: true,
            };
            indexes.insert(format!("unique_{field}"), index);
        }
        columns.insert(
            field.to_string(),
            Column {
                validator: column.validator.clone(),
                has_default: column.has_default,
                unique: column.unique,
            },
        );
    }
    let mut declared: Vec<(&Name, Place)> = Vec::new();
    for index in &table.indexes {
        if let Some((_, first)) = declared.iter().find(|(before, _)| **before == index.name) {
            let path = evaluator.modules.path(index.place.file);
            let first_path = evaluator.modules.path(first.file);
            evaluator.diagnostics.push(
                Diagnostic::error(
                    codes::DUPLICATE_INDEX,
                    format!("{owner} has two indexes called `{}`", index.name),
                )
                .at(path, index.place.span)
                .and_at(first_path, first.span, "first declared here")
                .with_help("Remove or rename one of them."),
            );
            continue;
        }
        if &*index.name == "by_creation"
            || indexes.contains_key(&*index.name)
            || index.name.starts_with('_')
            || !is_identifier(&index.name)
        {
            let message = format!(
                "an index cannot be called `{}`: it is reserved, or is not a letter followed by letters, digits and `_`",
                index.name
            );
            evaluator.report(codes::RESERVED_NAME, index.place, message, "Choose another name.");
            continue;
        }
        declared.push((&index.name, index.place));
        let mut whole = true;
        for field in &index.fields {
            whole &= check_field(evaluator, &owner, table, field);
            if let Some((_, column)) = table.columns.get(&field.0)
                && !is_indexable(&column.validator)
            {
                let message = format!(
                    "the field `{}` holds objects, arrays or opaque values, which have no order",
                    field.0
                );
                evaluator.report(
                    codes::FIELD_NOT_INDEXABLE,
                    field.1,
                    message,
                    "Index a field that holds a string, number, boolean, bigint, id or time.",
                );
                whole = false;
            }
        }
        if whole {
            let fields = index.fields.iter().map(|(field, _)| field.to_string()).collect();
            indexes.insert(
                index.name.to_string(),
                Index {
                    fields,
                    unique: index.unique,
                },
            );
        }
    }
    let shard_mode = shard_mode(evaluator, &owner, table);
    let relations = relations(evaluator, schema, &owner, table, &shard_mode);
    let triggers = table
        .triggers
        .iter()
        .map(|(name, _, trigger)| {
            (
                name.to_string(),
                Trigger {
                    timing: trigger.timing,
                    event: trigger.event,
                },
            )
        })
        .collect();
    Table {
        columns,
        shard_mode,
        indexes,
        relations,
        triggers,
        soft_delete: soft_delete(evaluator, &owner, table),
        time_to_live: time_to_live(evaluator, &owner, table),
        is_public: table.is_public,
        file: evaluator.modules.path(table.place.file).to_owned(),
    }
}

fn check_references(evaluator: &mut Evaluator<'_>, schema: &SchemaValue, references: &[(Name, Place)]) {
    for (table, place) in references {
        if !schema.incomplete && !schema.tables.contains_key(table) {
            let names: Vec<&str> = schema.tables.keys().map(|name| &**name).collect();
            let message = format!("there is no table `{table}`");
            evaluator.report(codes::UNKNOWN_TABLE, *place, message, hint(table, &names));
        }
    }
}

fn is_indexable(validator: &Validator) -> bool {
    match validator.unwrapped() {
        Validator::Array { .. }
        | Validator::Object { .. }
        | Validator::Record { .. }
        | Validator::GeoPoint
        | Validator::Foreign
        | Validator::Any => false,
        Validator::Union { members } => members.iter().all(is_indexable),
        _ => true,
    }
}

fn shard_mode(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> ShardMode {
    let Some((mode, place)) = &table.shard_mode else {
        return ShardMode::Root;
    };
    if let ShardMode::ShardBy { field } = mode {
        let name: Name = field.as_str().into();
        if SYSTEM_FIELDS.contains(&field.as_str()) {
            let message = format!("{owner} cannot be sharded by `{field}`, which every row gets when it is written");
            evaluator.report(
                codes::SHARD_FIELD_UNSUITABLE,
                *place,
                message,
                "Shard by a field that callers know, such as the id of what the rows belong to.",
            );
            return ShardMode::Root;
        }
        if !check_field(evaluator, owner, table, &(name.clone(), *place)) {
            return ShardMode::Root;
        }
        if let Some((_, column)) = table.columns.get(&name) {
            let inner = &column.validator;
            if inner.is_optional() || is_nullable(inner) {
                let message =
                    format!("{owner} is sharded by `{field}`, which may be missing: such a row would belong nowhere");
                evaluator.report(
                    codes::SHARD_FIELD_UNSUITABLE,
                    *place,
                    message,
                    format!("Make `{field}` required, without `v.optional` and `.nullable()`."),
                );
            } else if shard_kind(inner).is_none() {
                let message =
                    format!("{owner} is sharded by `{field}`, which is not a string, an id, a number or a bigint");
                evaluator.report(
                    codes::SHARD_FIELD_UNSUITABLE,
                    *place,
                    message,
                    "Shard by a field with one canonical text form: a string, an id, a number or a bigint.",
                );
            }
        }
        if field.contains('=') || field.starts_with("__") || !is_identifier(field) {
            let message = format!("`{field}` cannot be part of an object's name");
            evaluator.report(
                codes::SHARD_FIELD_UNSUITABLE,
                *place,
                message,
                "Call the field by letters, digits and `_`.",
            );
        }
    }
    mode.clone()
}

fn is_nullable(validator: &Validator) -> bool {
    match validator {
        Validator::Nullable { .. } | Validator::Null => true,
        Validator::Optional { inner } | Validator::Typed { inner, .. } => is_nullable(inner),
        Validator::Union { members } => members.iter().any(is_nullable),
        _ => false,
    }
}

/// The text form of a shard value, for validators that have one.
pub(super) fn shard_kind(validator: &Validator) -> Option<ShardKind> {
    match validator {
        Validator::String | Validator::Id { .. } => Some(ShardKind::Text),
        Validator::Number => Some(ShardKind::Number),
        Validator::Bigint => Some(ShardKind::Bigint),
        Validator::Literal { value } => match value {
            LiteralValue::String(_) => Some(ShardKind::Text),
            LiteralValue::Number(_) => Some(ShardKind::Number),
            LiteralValue::Bigint(_) => Some(ShardKind::Bigint),
            LiteralValue::Boolean(_) | LiteralValue::Null => None,
        },
        Validator::Union { members } => {
            let (first, rest) = members.split_first()?;
            let kind = shard_kind(first)?;
            rest.iter()
                .all(|member| shard_kind(member) == Some(kind))
                .then_some(kind)
        }
        Validator::Typed { inner, .. } => shard_kind(inner),
        _ => None,
    }
}

/// Tables sharded by fields of the same name share objects, so the fields must share a text form.
fn check_shard_kinds(evaluator: &mut Evaluator<'_>, schema: &SchemaValue) {
    let mut first: IndexMap<String, (ShardKind, Name, Place)> = IndexMap::new();
    for (name, (_, table)) in &schema.tables {
        let Some((ShardMode::ShardBy { field }, place)) = &table.shard_mode else {
            continue;
        };
        let Some((_, column)) = table.columns.get(&Name::from(field.as_str())) else {
            continue;
        };
        let Some(kind) = shard_kind(&column.validator) else {
            continue;
        };
        match first.get(field) {
            None => {
                first.insert(field.clone(), (kind, name.clone(), *place));
            }
            Some((before, other, other_place)) if *before != kind => {
                let message = format!(
                    "`{name}` and `{other}` are both sharded by `{field}` and would share objects, but the field has different types in them"
                );
                let path = evaluator.modules.path(place.file);
                let other_path = evaluator.modules.path(other_place.file);
                evaluator.diagnostics.push(
                    Diagnostic::error(codes::SHARD_FIELD_UNSUITABLE, message)
                        .at(path, place.span)
                        .and_at(other_path, other_place.span, "the other table")
                        .with_help("Give the field one type, or two names."),
                );
            }
            Some(_) => {}
        }
    }
}

fn relations(
    evaluator: &mut Evaluator<'_>,
    schema: &SchemaValue,
    owner: &str,
    table: &TableValue,
    mode: &ShardMode,
) -> IndexMap<String, Relation> {
    let mut relations = IndexMap::new();
    for (name, place, relation) in &table.relations {
        if table.columns.contains_key(name) {
            let message = format!("{owner} has a field `{name}` already; a relation of that name would hide it");
            evaluator.report(codes::RESERVED_NAME, *place, message, "Rename one of them.");
        }
        let (target_name, target_place) = &relation.table;
        let Some((_, target)) = schema.tables.get(target_name) else {
            if !schema.incomplete {
                let names: Vec<&str> = schema.tables.keys().map(|name| &**name).collect();
                let message = format!("there is no table `{target_name}`");
                evaluator.report(codes::UNKNOWN_TABLE, *target_place, message, hint(target_name, &names));
            }
            continue;
        };
        let other = format!("the table `{target_name}`");
        let (holder, holder_owner, pointed, pointed_owner) = match relation.kind {
            RelationKind::One => (table, owner, &**target, other.as_str()),
            RelationKind::Many => (&**target, other.as_str(), table, owner),
        };
        let mut whole = check_field(evaluator, holder_owner, holder, &relation.field);
        if let Some(references) = &relation.references {
            whole &= check_field(evaluator, pointed_owner, pointed, references);
        }
        if let (Some(lunora_ir::OnDelete::SetNull), Some((_, column))) =
            (relation.on_delete, holder.columns.get(&relation.field.0))
            && !is_nullable(&column.validator)
        {
            let message = format!(
                "`onDelete: \"set null\"` would write `null` to `{}`, which does not accept it",
                relation.field.0
            );
            evaluator.report(
                codes::BAD_ARGUMENT,
                relation.field.1,
                message,
                "Add `.nullable()` to the field.",
            );
        }
        if relation.on_delete.is_some() {
            check_on_delete_tiers(evaluator, owner, table, mode, target_name, target, *place);
        }
        if whole {
            relations.insert(
                name.to_string(),
                Relation {
                    kind: relation.kind,
                    table: target_name.to_string(),
                    field: relation.field.0.to_string(),
                    references: relation
                        .references
                        .as_ref()
                        .map_or_else(|| "_id".to_owned(), |(field, _)| field.to_string()),
                    on_delete: relation.on_delete,
                },
            );
        }
    }
    relations
}

/// A cascade runs in the transaction of the delete, which reaches one object.
fn check_on_delete_tiers(
    evaluator: &mut Evaluator<'_>,
    owner: &str,
    table: &TableValue,
    mode: &ShardMode,
    target_name: &Name,
    target: &TableValue,
    place: Place,
) {
    let target_mode = target.shard_mode.as_ref().map_or(&ShardMode::Root, |(mode, _)| mode);
    let same = mode == target_mode
        || matches!(mode, ShardMode::Colocated)
        || matches!(target_mode, ShardMode::Colocated)
        || table.incomplete
        || target.incomplete;
    if !same {
        let message = format!("`onDelete` cannot be kept: {owner} and `{target_name}` live in different objects");
        let help =
            "Put both tables in one tier, sharded by the same field, or remove `onDelete` and clean up in a function.";
        evaluator.report(codes::CONFLICTING_TIER, place, message, help);
    }
}

fn time_field<'table>(table: &'table TableValue, field: &Name) -> Option<&'table Validator> {
    table.columns.get(field).map(|(_, column)| &column.validator)
}

fn is_time(validator: &Validator) -> bool {
    matches!(
        validator.unwrapped(),
        Validator::Number | Validator::Timestamp | Validator::Date
    )
}

fn soft_delete(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> Option<SoftDelete> {
    let (field, place) = table.soft_delete.as_ref()?;
    match time_field(table, field) {
        Some(validator) if !is_time(validator) => {
            let message = format!("`.softDelete` keeps the time of deletion in `{field}`, which holds no time");
            evaluator.report(
                codes::BAD_ARGUMENT,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
        Some(validator) if !validator.is_optional() && !is_nullable(validator) => {
            let message =
                format!("`.softDelete` leaves `{field}` empty until a row is deleted, but the field is required");
            evaluator.report(
                codes::BAD_ARGUMENT,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
        Some(_) => {}
        None if table.incomplete => {}
        None => {
            let message = format!("{owner} has no field `{field}`, where `.softDelete` keeps the time of deletion");
            evaluator.report(
                codes::UNKNOWN_FIELD,
                *place,
                message,
                format!("Declare `{field}: v.optional(v.number())`."),
            );
        }
    }
    Some(SoftDelete {
        field: field.to_string(),
    })
}

fn time_to_live(evaluator: &mut Evaluator<'_>, owner: &str, table: &TableValue) -> Option<TimeToLive> {
    let (field, place, after) = table.time_to_live.as_ref()?;
    if &**field != "_creationTime" {
        match time_field(table, field) {
            Some(validator) if !is_time(validator) => {
                let message = format!("`.ttl` counts from `{field}`, which holds no time");
                evaluator.report(
                    codes::BAD_ARGUMENT,
                    *place,
                    message,
                    "Use a field of `v.timestamp()`, `v.date()` or `v.number()`, or `_creationTime`.",
                );
            }
            _ => {
                check_field(evaluator, owner, table, &(field.clone(), *place));
            }
        }
    }
    Some(TimeToLive {
        field: field.to_string(),
        after: *after,
    })
}
