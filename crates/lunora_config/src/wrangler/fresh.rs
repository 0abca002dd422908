//! A configuration for an app that has none.

use serde_json::{Value, json};

use super::databases::entry;
use super::owned::marked;
use super::render::{quote, render};
use super::style::Style;
use super::wanted::Wanted;

/// The text of a new, commented `wrangler.jsonc`.
#[must_use]
pub fn fresh_wrangler(wanted: &Wanted) -> String {
    let style = Style::PLAIN;
    let bindings: Vec<_> = wanted
        .durable_objects
        .iter()
        .map(|object| json!({ "name": object.binding, "class_name": object.class_name }))
        .collect();
    let mut classes: Vec<&str> = Vec::new();
    for object in &wanted.durable_objects {
        if !classes.contains(&object.class_name.as_str()) {
            classes.push(&object.class_name);
        }
    }
    let mut properties = vec![property("$schema", &quote("node_modules/wrangler/config-schema.json"))];
    if let Some(name) = &wanted.name {
        properties.push(property("name", &quote(name)));
    }
    if let Some(main) = &wanted.main {
        properties.push(property("main", &quote(main)));
    }
    properties.push(property("compatibility_date", &quote(&wanted.compatibility_date)));
    if !wanted.compatibility_flags.is_empty() {
        let flags = render(&json!(wanted.compatibility_flags), style, style.unit);
        properties.push(property("compatibility_flags", &flags));
    }
    if let Some(assets) = wanted.assets() {
        properties.push(format!(
            "  // The client that `vite build` writes, served beside the worker.\n{}",
            property("assets", &render(&assets, style, style.unit))
        ));
    }
    if !wanted.crons.is_empty() {
        properties.push(format!(
            "  // When the jobs of `lunora/crons.ts` run, in UTC.\n{}",
            property(
                "triggers",
                &render(&json!({ "crons": marked_times(wanted) }), style, style.unit)
            )
        ));
    }
    if !wanted.databases.is_empty() {
        let databases: Vec<Value> = wanted.databases.iter().map(entry).collect();
        properties.push(format!(
            "  // Rows of `.global()` tables. The id is what `wrangler d1 create` prints.\n{}",
            property("d1_databases", &render(&json!(databases), style, style.unit))
        ));
    }
    if !bindings.is_empty() {
        properties.push(format!(
            "  // The database: every shard is one of these objects.\n{}",
            property(
                "durable_objects",
                &render(&json!({ "bindings": bindings }), style, style.unit)
            )
        ));
        let migrations = json!([{ "tag": "v1", "new_sqlite_classes": classes }]);
        properties.push(format!(
            "  // Only ever append here: the platform remembers each tag it has applied.\n{}",
            property("migrations", &render(&migrations, style, style.unit))
        ));
    }
    format!(
        "// What wrangler needs to deploy this app. Lunora adds what is missing and leaves the rest as it is.\n{{\n{}\n}}\n",
        properties.join(",\n")
    )
}

fn marked_times(wanted: &Wanted) -> Vec<Value> {
    wanted.crons.iter().map(|time| marked(time)).collect()
}

fn property(key: &str, value: &str) -> String {
    format!("  {}: {value}", quote(key))
}
