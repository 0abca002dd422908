//! What a configuration should become, on plain values.

use lunora_config::Wanted;
use serde_json::{Map, Value, json};

type Fields = Map<String, Value>;

/// The value that is wanted, or the codes of everything that is wrong.
pub fn merged(value: &Value, wanted: &Wanted) -> Result<Value, Vec<&'static str>> {
    let mut result = value.as_object().unwrap().clone();
    let mut errors = Vec::new();
    let environments: Vec<String> = match result.get("env") {
        None => Vec::new(),
        Some(Value::Object(environments)) => environments.keys().cloned().collect(),
        Some(_) => {
            errors.push("WRANGLER_SHAPE");
            Vec::new()
        }
    };
    section(&mut result, None, wanted, &mut errors);
    for name in environments {
        match &mut result["env"][&name] {
            Value::Object(fields) => section(fields, Some(&name), wanted, &mut errors),
            _ => errors.push("WRANGLER_SHAPE"),
        }
    }
    if errors.is_empty() {
        Ok(Value::Object(result))
    } else {
        Err(errors)
    }
}

fn section(fields: &mut Fields, environment: Option<&str>, wanted: &Wanted, errors: &mut Vec<&'static str>) {
    let is_top = environment.is_none();
    for (key, default) in [("name", &wanted.name), ("main", &wanted.main)] {
        match fields.get(key) {
            Some(Value::String(_)) => {}
            Some(_) => errors.push("WRANGLER_SHAPE"),
            None if is_top => {
                fields.insert(key.into(), json!(default));
            }
            None => {}
        }
    }
    date(fields, is_top, wanted, errors);
    flags(fields, is_top, wanted, errors);
    if let (true, Some(directory)) = (is_top, &wanted.client_directory) {
        fields.entry("assets").or_insert(json!({
            "directory": directory,
            "not_found_handling": "single-page-application",
            "run_worker_first": ["/_lunora/*", "/api/*"],
        }));
    }
    databases(fields, environment, wanted, errors);
    // Before bindings are added: whose class it is depends on what the user wrote.
    let foreign: Vec<&str> = wanted
        .durable_objects
        .iter()
        .filter(|object| {
            find_binding(fields, &object.binding).is_some_and(|binding| binding.get("script_name").is_some())
        })
        .map(|object| object.class_name.as_str())
        .collect();
    bindings(fields, wanted, errors);
    migrations(fields, is_top, wanted, &foreign, errors);
}

fn date(fields: &mut Fields, is_top: bool, wanted: &Wanted, errors: &mut Vec<&'static str>) {
    let minimum = &wanted.compatibility_date;
    match fields.get("compatibility_date") {
        Some(Value::String(date)) if date.len() == 10 && date.matches('-').count() == 2 => {
            let later = date.max(minimum).clone();
            fields["compatibility_date"] = json!(later);
        }
        Some(_) => errors.push("WRANGLER_SHAPE"),
        None if is_top => {
            fields.insert("compatibility_date".into(), json!(minimum));
        }
        None => {}
    }
}

fn flags(fields: &mut Fields, is_top: bool, wanted: &Wanted, errors: &mut Vec<&'static str>) {
    if is_top && !fields.contains_key("compatibility_flags") && !wanted.compatibility_flags.is_empty() {
        fields.insert("compatibility_flags".into(), json!([]));
    }
    match fields.get_mut("compatibility_flags") {
        None => {}
        Some(Value::Array(flags)) => {
            for flag in &wanted.compatibility_flags {
                if flags.contains(&json!(format!("no_{flag}"))) {
                    errors.push("WRANGLER_CONFLICT");
                }
                if !flags.contains(&json!(flag)) {
                    flags.push(json!(flag));
                }
            }
        }
        Some(_) => errors.push("WRANGLER_SHAPE"),
    }
}

fn databases(fields: &mut Fields, environment: Option<&str>, wanted: &Wanted, errors: &mut Vec<&'static str>) {
    let suffix = environment.map_or_else(String::new, |name| format!("-{}", name.replace(' ', "-")));
    if fields.get("d1_databases").is_some_and(|list| !list.is_array()) {
        errors.push("WRANGLER_SHAPE");
        return;
    }
    for database in &wanted.databases {
        let list = fields.entry("d1_databases").or_insert(json!([]));
        let Value::Array(list) = list else { return };
        if !list.iter().any(|entry| entry["binding"] == *database.binding) {
            list.push(json!({
                "binding": database.binding,
                "database_name": format!("{}{suffix}", database.name),
                "database_id": lunora_config::PLACEHOLDER_ID,
            }));
        }
    }
}

fn find_binding<'f>(fields: &'f Fields, name: &str) -> Option<&'f Value> {
    let list = fields.get("durable_objects")?.get("bindings")?.as_array()?;
    list.iter().find(|binding| binding["name"] == name)
}

fn bindings(fields: &mut Fields, wanted: &Wanted, errors: &mut Vec<&'static str>) {
    for object in &wanted.durable_objects {
        if let Some(binding) = find_binding(fields, &object.binding) {
            if binding["class_name"] != *object.class_name {
                errors.push("WRANGLER_CONFLICT");
            }
            continue;
        }
        let objects = fields.entry("durable_objects").or_insert(json!({}));
        let Value::Object(objects) = objects else {
            errors.push("WRANGLER_SHAPE");
            return;
        };
        let Value::Array(list) = objects.entry("bindings").or_insert(json!([])) else {
            errors.push("WRANGLER_SHAPE");
            return;
        };
        list.push(json!({ "name": object.binding, "class_name": object.class_name }));
    }
}

fn migrations(fields: &mut Fields, is_top: bool, wanted: &Wanted, foreign: &[&str], errors: &mut Vec<&'static str>) {
    let list = match fields.get("migrations") {
        None if !is_top => return,
        None => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(_) => {
            errors.push("WRANGLER_SHAPE");
            return;
        }
    };
    let mut created = Vec::new();
    for object in &wanted.durable_objects {
        let class = object.class_name.as_str();
        if foreign.contains(&class) {
            continue;
        }
        // The last migration that says anything of the class decides.
        let fate = list.iter().rev().find_map(|migration| fate(migration, class));
        match fate {
            None | Some("deleted") => created.push(class),
            Some("live") => {}
            Some(_) => errors.push("WRANGLER_CONFLICT"),
        }
    }
    if created.is_empty() {
        return;
    }
    let number = |migration: &Value| migration["tag"].as_str()?.strip_prefix('v')?.parse::<u64>().ok();
    let next = list.iter().filter_map(number).max().unwrap_or(0) + 1;
    let entry = json!({ "tag": format!("v{next}"), "new_sqlite_classes": created });
    match fields.entry("migrations").or_insert(json!([])) {
        Value::Array(list) => list.push(entry),
        other => panic!("{other}"),
    }
}

fn fate(migration: &Value, class: &str) -> Option<&'static str> {
    let lists = |key: &str| {
        migration[key]
            .as_array()
            .is_some_and(|list| list.contains(&json!(class)))
    };
    let moves = |end: &str| {
        migration["renamed_classes"]
            .as_array()
            .is_some_and(|list| list.iter().any(|step| step[end] == class))
    };
    if lists("deleted_classes") {
        Some("deleted")
    } else if moves("to") {
        Some("live")
    } else if moves("from") {
        Some("renamed")
    } else if lists("new_classes") {
        Some("without SQLite")
    } else if lists("new_sqlite_classes") {
        Some("live")
    } else {
        None
    }
}
