//! The application as the inspector shows it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use lunora_ir::drift::{Drift, Snapshot};
use lunora_ir::{Application, Function, ShardMode};
use serde_json::{Map, Value, json};

/// Sources by their project-relative paths.
pub(crate) type Texts = HashMap<String, Arc<str>>;

/// Name of a tier, and the field that a table is sharded by.
fn tier(mode: &ShardMode) -> (&'static str, Option<&str>) {
    match mode {
        ShardMode::Root => ("root", None),
        ShardMode::ShardBy { field } => ("shardBy", Some(field)),
        ShardMode::Colocated => ("colocated", None),
        ShardMode::Global => ("global", None),
    }
}

/// Where a function is exported, as far as its text says so plainly.
fn line(function: &Function, texts: &Texts) -> Option<usize> {
    let text = texts.get(function.file.as_str())?;
    let declaration = format!("export const {}", function.export);
    let mut found = text.match_indices(&declaration).map(|(at, _)| at);
    let at = found.find(|at| {
        let behind = text[at + declaration.len()..].chars().next();
        behind.is_none_or(|next| !next.is_alphanumeric() && next != '_' && next != '$')
    })?;
    Some(text[..at].matches('\n').count() + 1)
}

/// What has changed since the deployment that the baseline is of. A baseline that cannot be read has a finding of its own
/// when somebody deploys; here it is as if there were none.
fn drift(application: &Application, baseline: Option<&str>, regions: &BTreeSet<String>) -> Vec<Value> {
    let Some(before) = baseline.and_then(|text| Snapshot::parse(text).ok()) else {
        return Vec::new();
    };
    let drift = Drift::between(&before, &Snapshot::of(application, regions), &application.migrations);
    let entry = |entry: &lunora_ir::drift::DriftEntry| {
        let mut value = json!(entry);
        value["text"] = entry.change.message().into();
        value["isBreaking"] = entry.blocks().into();
        value
    };
    drift.changes.iter().map(entry).collect()
}

/// Tables, functions, shapes, jurisdiction and drift, as `/api/app` answers them.
pub(crate) fn model(
    application: &Application,
    texts: &Texts,
    baseline: Option<&str>,
    regions: &BTreeSet<String>,
) -> Map<String, Value> {
    let tables = application.tables.iter().map(|(name, table)| {
        let (tier, field) = tier(&table.shard_mode);
        json!({
            "name": name,
            "tier": tier,
            "shardBy": field,
            "fields": table.columns,
            "indexes": table.indexes,
            // What there is only the running app knows: `inspect/policies`.
            "needsPolicy": application.rls_required && !table.is_public,
        })
    });
    let functions = application.functions.iter().map(|function| {
        json!({
            "path": function.path,
            "kind": function.kind,
            "visibility": function.visibility,
            "address": function.address,
            "file": function.file,
            "line": line(function, texts),
            "input": function.input,
        })
    });
    let shapes = application.shapes.iter().map(|shape| {
        json!({
            "name": shape.name,
            "table": shape.table,
            "file": shape.file,
            "address": shape.address,
            "input": shape.input,
        })
    });
    Map::from_iter([
        ("jurisdiction".to_owned(), json!(application.jurisdiction)),
        ("tables".to_owned(), tables.collect()),
        ("functions".to_owned(), functions.collect()),
        ("shapes".to_owned(), shapes.collect()),
        ("drift".to_owned(), drift(application, baseline, regions).into()),
    ])
}
