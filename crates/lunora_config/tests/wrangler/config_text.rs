//! Random configurations, written in random ways.

use lunora_testing::Random;
use serde_json::{Map, Value, json};

/// A configuration as somebody might have written it.
pub struct ConfigText {
    pub text: String,
    /// A key that matters is there twice.
    pub has_duplicate: bool,
}

pub fn random_config(random: &mut Random) -> ConfigText {
    let mut value = section(random, true);
    let has_duplicate = random.one_in(40);
    if random.one_in(30) {
        break_shape(&mut value, random);
    }
    let unit = *random.pick(&["  ", "    ", "\t", " "]);
    let newline = *random.pick(&["\n", "\r\n"]);
    let mut printer = Printer {
        unit,
        newline,
        // Some files are tidy, some are wild.
        comments: *random.pick(&[0, 12, 4]),
        one_line: *random.pick(&[0, 3, 1]),
        trailing_commas: *random.pick(&[0, 3, 1]),
        duplicate: has_duplicate,
        has_duplicate: false,
        random: random.fork(),
        text: String::new(),
    };
    if printer.random.one_in(8) {
        printer.text.push('\u{feff}');
    }
    printer.trivia(0);
    printer.value(&value, 0, "");
    printer.trivia(0);
    if printer.random.one_in(2) {
        printer.text.push_str(newline);
    }
    ConfigText {
        has_duplicate: printer.has_duplicate,
        text: printer.text,
    }
}

fn break_shape(value: &mut Value, random: &mut Random) {
    let key = *random.pick(&[
        "name",
        "main",
        "compatibility_date",
        "compatibility_flags",
        "durable_objects",
        "d1_databases",
        "migrations",
        "env",
    ]);
    value[key] = random.pick(&[json!(1), json!(true), Value::Null]).clone();
}

fn section(random: &mut Random, is_top: bool) -> Value {
    let mut fields: Vec<(&str, Value)> = Vec::new();
    if !random.one_in(3) {
        fields.push((
            "name",
            json!(random.pick(&["chat", "näme \"quoted\" // no comment", ""])),
        ));
    }
    if !random.one_in(3) {
        fields.push((
            "main",
            json!(random.pick(&[
                "lunora/_generated/worker.ts",
                "./lunora/_generated/worker.ts",
                "src/index.ts"
            ])),
        ));
    }
    if !random.one_in(3) {
        fields.push((
            "compatibility_date",
            json!(random.pick(&["2024-09-23", "2026-04-01", "2026-12-31"])),
        ));
    }
    if !random.one_in(3) {
        let flags = ["nodejs_compat", "streams_enable_constructors", "no_nodejs_compat", "x"];
        let chosen: Vec<_> = flags
            .iter()
            .filter(|flag| random.one_in(if flag.starts_with("no_") { 30 } else { 2 }))
            .collect();
        fields.push(("compatibility_flags", json!(chosen)));
    }
    if !random.one_in(3) {
        fields.push(("durable_objects", durable_objects(random)));
    }
    if !random.one_in(3) {
        fields.push(("d1_databases", databases(random)));
    }
    if !random.one_in(if is_top { 3 } else { 2 }) {
        fields.push(("migrations", migrations(random)));
    }
    for key in ["vars", "observability", "$schema", "routes"] {
        if random.one_in(3) {
            fields.push((key, anything(random, 3)));
        }
    }
    if is_top && random.one_in(2) {
        let names = ["staging", "production", "my env"];
        let mut environments = Map::new();
        for name in names {
            if random.one_in(2) {
                environments.insert(name.to_owned(), section(random, false));
            }
        }
        fields.push(("env", Value::Object(environments)));
    }
    for position in (1..fields.len()).rev() {
        fields.swap(position, random.below(position + 1));
    }
    Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn databases(random: &mut Random) -> Value {
    let mut list = Vec::new();
    for binding in ["DB_EU", "DB", "OTHER"] {
        if !random.one_in(if binding == "DB" { 6 } else { 2 }) {
            list.push(json!({ "binding": binding, "database_id": random.pick(&["x", ""]) }));
        }
    }
    json!(list)
}

fn durable_objects(random: &mut Random) -> Value {
    if random.one_in(6) {
        return json!({});
    }
    let mut list = Vec::new();
    if random.one_in(2) {
        list.push(json!({ "name": "MINE", "class_name": "MyObject" }));
    }
    for (binding, class) in [("SHARD", "ShardDO"), ("SHARD_REGISTRY", "ShardRegistryDO")] {
        match random.below(20) {
            0 => list.push(json!({ "name": binding, "class_name": "Other" })),
            1 | 2 => list.push(json!({ "name": binding, "class_name": class, "script_name": "another-worker" })),
            3..=10 => list.push(json!({ "class_name": class, "name": binding })),
            _ => {}
        }
    }
    if random.one_in(5) {
        json!({ "x": [], "bindings": list, "y": null })
    } else {
        json!({ "bindings": list })
    }
}

fn migrations(random: &mut Random) -> Value {
    let mut list = Vec::new();
    for number in 0..random.below(5) {
        let tag = if random.one_in(4) {
            format!("tag-{number}")
        } else {
            format!("v{}", number + random.below(2) * 10)
        };
        let class = *random.pick(&["ShardDO", "ShardRegistryDO", "MyObject"]);
        list.push(match random.below(12) {
            0 => json!({ "tag": tag, "new_classes": [class] }),
            1 => json!({ "tag": tag, "deleted_classes": [class] }),
            2 => json!({ "tag": tag, "renamed_classes": [{ "from": "Old", "to": class }] }),
            3 => json!({ "tag": tag, "renamed_classes": [{ "from": class, "to": "New" }] }),
            4 => json!({ "tag": tag, "new_sqlite_classes": ["ShardDO", "ShardRegistryDO"] }),
            _ => json!({ "tag": tag, "new_sqlite_classes": [class] }),
        });
    }
    Value::Array(list)
}

fn anything(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => json!(random.pick(&["", "a // b /* c */", "\" \\ \n \u{1f600} ]", "}{"])),
        1 => json!(random.below(1_000)),
        2 => json!(random.one_in(2)),
        3 => Value::Null,
        4 => (0..random.below(4)).map(|_| anything(random, depth - 1)).collect(),
        _ => Value::Object(
            (0..random.below(4))
                .map(|number| (format!("k{number}"), anything(random, depth - 1)))
                .collect(),
        ),
    }
}

struct Printer<'a> {
    unit: &'a str,
    newline: &'a str,
    /// One place in so many has a comment; none when zero.
    comments: usize,
    one_line: usize,
    trailing_commas: usize,
    duplicate: bool,
    has_duplicate: bool,
    random: Random,
    text: String,
}

impl Printer<'_> {
    fn once_in(&mut self, times: usize) -> bool {
        times > 0 && self.random.one_in(times)
    }

    fn line(&mut self, level: usize) {
        self.text.push_str(self.newline);
        self.text.push_str(&self.unit.repeat(level));
    }

    /// A comment or not; never one that would swallow what follows.
    fn trivia(&mut self, level: usize) {
        if !self.once_in(self.comments) {
            return;
        }
        match self.random.below(4) {
            0 => {
                self.text.push_str(" // \"said\": {");
                self.line(level);
            }
            1 => {
                self.text.push_str("/* two");
                self.line(level);
                self.text.push_str("lines, } */");
            }
            2 => self.text.push_str(" /**/ "),
            _ => {
                self.line(level);
                self.text.push_str("// on its own");
                self.line(level);
            }
        }
    }

    fn value(&mut self, value: &Value, level: usize, path: &str) {
        match value {
            Value::Object(fields) => {
                let items: Vec<_> = fields.iter().map(|(key, field)| (Some(key.as_str()), field)).collect();
                self.container('{', '}', &items, level, path);
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| (None, item)).collect();
                self.container('[', ']', &items, level, path);
            }
            plain => self.text.push_str(&plain.to_string()),
        }
    }

    fn container(&mut self, open: char, close: char, items: &[(Option<&str>, &Value)], level: usize, path: &str) {
        let on_one_line = self.once_in(self.one_line);
        self.text.push(open);
        self.trivia(level + 1);
        for (position, (key, value)) in items.iter().enumerate() {
            if on_one_line {
                let blank = *self.random.pick(&["", " "]);
                self.text.push_str(blank);
            } else {
                self.line(level + 1);
            }
            if let Some(key) = key {
                self.maybe_twice(key, value, level, path);
                self.key(key);
            }
            self.value(value, level + 1, key.unwrap_or(path));
            self.trivia(level + 1);
            if position + 1 < items.len() || self.once_in(self.trailing_commas) {
                self.text.push(',');
                self.trivia(level + 1);
            }
        }
        if on_one_line || (items.is_empty() && self.random.one_in(2)) {
            let blank = *self.random.pick(&["", " "]);
            self.text.push_str(blank);
        } else {
            self.line(level);
        }
        self.text.push(close);
    }

    fn key(&mut self, key: &str) {
        let quoted = Value::from(key).to_string();
        // The same key, spelled with an escape.
        let spelled = if self.random.one_in(30) {
            quoted.replace('_', "\\u005f")
        } else {
            quoted
        };
        self.text.push_str(&spelled);
        self.trivia(1);
        self.text.push(':');
        self.text.push_str(self.random.pick::<&str>(&["", " "]));
    }

    /// Keys that are none of our business may be there twice; the last counts.
    fn maybe_twice(&mut self, key: &str, value: &Value, level: usize, path: &str) {
        let is_ours = level == 0 && !matches!(key, "vars" | "observability" | "$schema" | "routes");
        let is_foreign = matches!(path, "vars" | "observability") || key == "vars";
        let doubled = if is_ours {
            self.duplicate && !self.has_duplicate
        } else {
            is_foreign && self.random.one_in(20)
        };
        if doubled {
            self.has_duplicate |= is_ours;
            self.key(key);
            self.value(value, level + 1, path);
            self.text.push(',');
        }
    }
}
