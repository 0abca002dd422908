//! The schema of the app: tables checked against each other.

mod fields;
mod lifetime;
mod naming;
mod relations;
mod table;
mod tier;

pub(super) use tier::shard_kind;

use std::sync::Arc;

use indexmap::IndexMap;
use lunora_diagnostics::{Diagnostic, Severity, Span, codes};
use lunora_ir::{ShardMode, Table};

use super::evaluate::Evaluator;
use super::modules::{FileIndex, Modules};
use super::value::{Callable, Place, SchemaValue, Value};
use naming::check_table_name;
use table::build_table;
use tier::check_shard_kinds;

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
