//! What the additions look like, and what is refused.

use lunora_config::{Wanted, WantedObject, fresh_wrangler, reconcile_wrangler};
use lunora_diagnostics::{Code, Diagnostic, codes};
use lunora_testing::Random;

use crate::plain_json::value;
use crate::wanted;

fn reconciled(text: &str) -> String {
    reconcile_wrangler("wrangler.jsonc", text, &wanted()).unwrap().text
}

fn refused(text: &str, code: Code, marked: &str) -> Diagnostic {
    let diagnostic = reconcile_wrangler("wrangler.jsonc", text, &wanted()).unwrap_err();
    assert_eq!(diagnostic.code, code, "{diagnostic:?}");
    let span = diagnostic.labels.first().unwrap().span;
    let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
    assert_eq!(text.get(range), Some(marked));
    assert!(diagnostic.help.is_some());
    diagnostic
}

#[test]
fn a_fresh_file() {
    assert_eq!(
        fresh_wrangler(&wanted()),
        r#"// What wrangler needs to deploy this app. Lunora adds what is missing and leaves the rest as it is.
{
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": "chat",
  "main": "lunora/_generated/worker.ts",
  "compatibility_date": "2026-04-01",
  "compatibility_flags": ["nodejs_compat"],
  // The database: every shard is one of these objects.
  "durable_objects": {
    "bindings": [
      { "name": "SHARD", "class_name": "ShardDO" },
      { "name": "SHARD_REGISTRY", "class_name": "ShardRegistryDO" }
    ]
  },
  // Only ever append here: the platform remembers each tag it has applied.
  "migrations": [
    { "tag": "v1", "new_sqlite_classes": ["ShardDO", "ShardRegistryDO"] }
  ]
}
"#
    );
    for nothing in ["", "\u{feff}", " \n"] {
        assert_eq!(reconciled(nothing), fresh_wrangler(&wanted()));
    }
    let least = Wanted {
        compatibility_date: "2026-04-01".into(),
        ..Wanted::default()
    };
    let fresh = fresh_wrangler(&least);
    assert!(reconcile_wrangler("f", &fresh, &least).unwrap().changes.is_empty());
}

#[test]
fn a_date_is_raised_only_below_what_the_worker_needs() {
    let wanted = Wanted {
        minimum_compatibility_date: "2024-04-03".to_owned(),
        ..wanted()
    };
    let date = |text: &str| reconcile_wrangler("f", text, &wanted).unwrap().text;
    assert!(date("{\"compatibility_date\": \"2025-01-15\"}").contains("2025-01-15"));
    assert!(date("{\"compatibility_date\": \"2024-01-15\"}").contains("2024-04-03"));
    assert!(date("{\"name\": \"a\"}").contains("2026-04-01"));
}

#[test]
fn a_client_is_served_unless_the_app_says_how() {
    let wanted = Wanted {
        client_directory: Some("dist/client".to_owned()),
        ..wanted()
    };
    let fresh = fresh_wrangler(&wanted);
    assert!(
        fresh.contains("\"assets\": {\n    \"directory\": \"dist/client\",\n    \"not_found_handling\": \"single-page-application\""),
        "{fresh}"
    );
    assert!(reconcile_wrangler("f", &fresh, &wanted).unwrap().changes.is_empty());
    let own = "{ \"assets\": { \"directory\": \"mine\" } }";
    let reconciled = reconcile_wrangler("f", own, &wanted).unwrap();
    assert!(reconciled.text.contains("{ \"directory\": \"mine\" }"));
    assert!(!reconciled.text.contains("dist/client"));
}

#[test]
fn additions_look_like_what_is_there() {
    let text = r#"{
    // mine
    "name": "x", // the name
    "compatibility_date": "2024-01-01" /* old */, // raised
    "compatibility_flags": ["a"],
    "durable_objects": {
        "bindings": [
            { "name": "MINE", "class_name": "Mine" } // keep
        ]
    },
    "migrations": [{
        "tag": "first",
        "new_classes": ["Mine"]
    }], // history
    /* the end */
}
"#;
    let expected = r#"{
    // mine
    "name": "x", // the name
    "compatibility_date": "2026-04-01" /* old */, // raised
    "compatibility_flags": ["a", "nodejs_compat"],
    "durable_objects": {
        "bindings": [
            { "name": "MINE", "class_name": "Mine" }, // keep
            { "name": "SHARD", "class_name": "ShardDO" },
            { "name": "SHARD_REGISTRY", "class_name": "ShardRegistryDO" }
        ]
    },
    "migrations": [{
        "tag": "first",
        "new_classes": ["Mine"]
    }, { "tag": "v1", "new_sqlite_classes": ["ShardDO", "ShardRegistryDO"] }], // history
    "main": "lunora/_generated/worker.ts",
    /* the end */
}
"#;
    assert_eq!(reconciled(text), expected);
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n").replace("    ", "\t"));
    assert_eq!(reconciled(&windows(text)), windows(expected));
}

#[test]
fn small_files() {
    let object = r#""durable_objects": { "bindings": [{ "name": "SHARD", "class_name": "ShardDO" }, { "name": "SHARD_REGISTRY", "class_name": "ShardRegistryDO" }] }, "migrations": [{ "tag": "v1", "new_sqlite_classes": ["ShardDO", "ShardRegistryDO"] }]"#;
    let head = r#""main":"lunora/_generated/worker.ts","compatibility_date":"2026-04-01","compatibility_flags":["nodejs_compat"]"#;
    assert_eq!(
        reconciled(&format!("{{\"name\":\"x\",{head}}}")),
        format!("{{\"name\":\"x\",{head}, {object}}}")
    );
    assert_eq!(
        reconciled(&format!("{{\"name\":\"x\",{head},}}")),
        format!("{{\"name\":\"x\",{head}, {object},}}")
    );
    for empty in ["{}", "{ }", "{\n}"] {
        let text = reconciled(empty);
        assert!(text.starts_with("{\n  \"name\": \"chat\",\n  \"main\""), "{text}");
        assert!(text.ends_with("\n  ]\n}"), "{text}");
    }
    let commented = reconciled("{ // only this\n}");
    assert!(
        commented.starts_with("{ // only this\n  \"name\": \"chat\",\n"),
        "{commented}"
    );
    assert!(reconciled("{/* only this */}").starts_with("{/* only this */\n  \"name\""));
}

#[test]
fn environments_get_what_wrangler_does_not_hand_down() {
    let text = fresh_wrangler(&wanted()).replace(
        "  \"name\": \"chat\",\n",
        "  \"name\": \"chat\",\n  \"env\": {\n    \"staging\": {\n      \"vars\": {}\n    },\n    \"old\": { \"compatibility_date\": \"2024-01-01\", \"migrations\": [] }\n  },\n",
    );
    let outcome = reconcile_wrangler("wrangler.jsonc", &text, &wanted()).unwrap();
    let paths: Vec<_> = outcome.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "env.staging.durable_objects",
            "env.old.compatibility_date",
            "env.old.durable_objects",
            "env.old.migrations"
        ]
    );
    assert!(outcome.text.contains(
        "      \"vars\": {},\n      \"durable_objects\": {\n        \"bindings\": [\n          { \"name\": \"SHARD\""
    ));
}

#[test]
fn migrations_are_only_ever_appended() {
    let history = |entries: &str| format!("{{ \"migrations\": [{entries}] }}");
    let last = |text: &str| {
        let text = reconciled(text);
        let value = value(&text);
        value["migrations"].as_array().unwrap().last().unwrap().to_string()
    };
    let both = r#"["ShardDO","ShardRegistryDO"]"#;
    // Created already, under any tag.
    assert_eq!(
        last(&history(&format!(r#"{{"tag":"t","new_sqlite_classes":{both}}}"#))),
        format!(r#"{{"tag":"t","new_sqlite_classes":{both}}}"#)
    );
    // One of two.
    assert_eq!(
        last(&history(r#"{"tag":"v7","new_sqlite_classes":["ShardDO"]}"#)),
        r#"{"tag":"v8","new_sqlite_classes":["ShardRegistryDO"]}"#
    );
    // Renamed to what is wanted, transferred from elsewhere.
    let moved = r#"{"tag":"a","renamed_classes":[{"from":"A","to":"ShardDO"}],"transferred_classes":[{"from":"R","from_script":"s","to":"ShardRegistryDO"}]}"#;
    assert_eq!(last(&history(moved)), moved);
    // Deleted: created anew.
    let deleted = format!(r#"{{"tag":"v1","new_sqlite_classes":{both}}},{{"tag":"v2","deleted_classes":["ShardDO"]}}"#);
    assert_eq!(
        last(&history(&deleted)),
        r#"{"tag":"v3","new_sqlite_classes":["ShardDO"]}"#
    );
    // A tag that is taken although its number is not the highest of its form.
    assert_eq!(
        last(&history(r#"{"tag":"v01","new_sqlite_classes":["X"]},{"tag":"v2"}"#)),
        format!(r#"{{"tag":"v3","new_sqlite_classes":{both}}}"#)
    );
}

#[test]
fn what_would_lose_data_or_cannot_work_is_refused() {
    let conflict = codes::WRANGLER_CONFLICT;
    refused(
        r#"{"migrations":[{"tag":"v1","renamed_classes":[{"from":"ShardDO","to":"B"}]}]}"#,
        conflict,
        r#"{"from":"ShardDO","to":"B"}"#,
    );
    refused(
        r#"{"migrations":[{"tag":"v1","new_classes":["ShardDO"]}]}"#,
        conflict,
        "\"ShardDO\"",
    );
    refused(
        r#"{"migrations":[{"tag":"v1","new_classes":["A"]},{"tag":"v2","renamed_classes":[{"from":"A","to":"ShardDO"}]}]}"#,
        conflict,
        "\"A\"",
    );
    refused(
        r#"{"durable_objects":{"bindings":[{"name":"SHARD","class_name":"Mine"}]}}"#,
        conflict,
        r#"{"name":"SHARD","class_name":"Mine"}"#,
    );
    refused(
        r#"{"env":{"a":{"compatibility_flags":["no_nodejs_compat"]}}}"#,
        conflict,
        "\"no_nodejs_compat\"",
    );
}

#[test]
fn unknown_shapes_are_refused_at_their_place() {
    let shape = codes::WRANGLER_SHAPE;
    for (text, marked) in [
        (r#"{"durable_objects": []}"#, "[]"),
        (r#"{"durable_objects": {"bindings": {}}}"#, "{}"),
        (r#"{"durable_objects": {"bindings": ["SHARD"]}}"#, "\"SHARD\""),
        (
            r#"{"durable_objects": {"bindings": [{"class_name": "X"}]}}"#,
            "{\"class_name\": \"X\"}",
        ),
        (r#"{"migrations": {}}"#, "{}"),
        (
            r#"{"migrations": [{"new_sqlite_classes": ["X"]}]}"#,
            "{\"new_sqlite_classes\": [\"X\"]}",
        ),
        (r#"{"migrations": [{"tag": "v1", "new_sqlite_classes": "X"}]}"#, "\"X\""),
        (r#"{"compatibility_date": "2024"}"#, "\"2024\""),
        (r#"{"compatibility_flags": [1]}"#, "1"),
        (r#"{"env": {"a": null}}"#, "null"),
        (r#"{"name": {}}"#, "{}"),
        ("[]", "[]"),
        ("// nothing", "// nothing"),
    ] {
        refused(text, shape, marked);
    }
    let marked = refused("\u{feff}{\"env\": 1}", shape, "1");
    assert!(marked.message.contains("`env`"));
}

#[test]
fn keys_given_twice_are_refused_where_they_matter() {
    let twice = codes::WRANGLER_DUPLICATE_KEY;
    let diagnostic = refused(r#"{"name": "a", "n\u0061me": "b"}"#, twice, "\"n\\u0061me\"");
    assert_eq!(diagnostic.labels.len(), 2);
    refused(r#"{"env": {"a": {}, "b": {}, "a": {}}}"#, twice, "\"a\"");
    let kept = r#"{"vars": {"A": 1, "A": 2}}"#;
    assert!(reconciled(kept).starts_with(r#"{"vars": {"A": 1, "A": 2}, "#));
}

#[test]
fn what_does_not_parse_is_shown() {
    for text in [
        "{",
        "{'a': 1}",
        "{a: 1}",
        "{\"a\": 1 \"b\": 2}",
        "{\"a\": .5}",
        "{} {}",
        "{\"a\": /* }",
    ] {
        let diagnostic = reconcile_wrangler("wrangler.jsonc", text, &wanted()).unwrap_err();
        assert_eq!(diagnostic.code, codes::WRANGLER_SYNTAX, "{text}");
        assert_eq!(diagnostic.labels.len(), 1);
    }
    let deep = "[".repeat(100_000);
    assert!(reconcile_wrangler("wrangler.jsonc", &deep, &wanted()).is_err());
}

#[test]
fn another_entry_is_kept_with_a_warning() {
    let outcome = reconcile_wrangler("w", r#"{"main": "src/index.ts"}"#, &wanted()).unwrap();
    assert_eq!(outcome.warnings.first().unwrap().code, codes::WRANGLER_MAIN_KEPT);
    let outcome = reconcile_wrangler("w", r#"{"main": "./lunora/_generated/worker.ts"}"#, &wanted()).unwrap();
    assert!(outcome.warnings.is_empty());
}

#[test]
fn a_class_of_another_worker_is_not_created_here() {
    let wanted = Wanted {
        compatibility_date: "2026-04-01".into(),
        durable_objects: vec![WantedObject {
            binding: "SHARD".into(),
            class_name: "ShardDO".into(),
        }],
        ..Wanted::default()
    };
    let text = r#"{"compatibility_date": "2026-05-05", "durable_objects": {"bindings": [{"name": "SHARD", "class_name": "ShardDO", "script_name": "other"}]}}"#;
    let outcome = reconcile_wrangler("w", text, &wanted).unwrap();
    assert_eq!((outcome.text.as_str(), outcome.changes.len()), (text, 0));
}

/// Without white space.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The crons of an app, in addition to what there is.
fn with_crons() -> Wanted {
    Wanted {
        crons: vec!["*/5 * * * *".to_owned(), "0 3 * * SUN".to_owned()],
        ..wanted()
    }
}

#[test]
fn times_of_crons_are_added_with_a_mark_and_others_left() {
    let fresh = fresh_wrangler(&with_crons());
    assert!(
        dense(&fresh).contains(r#""triggers":{"crons":[/*lunora*/"*/5****",/*lunora*/"03**SUN"]}"#),
        "{fresh}"
    );
    assert_eq!(
        reconcile_wrangler("wrangler.jsonc", &fresh, &with_crons())
            .unwrap()
            .text,
        fresh
    );

    let own = fresh.replace("/* lunora */ \"*/5 * * * *\",", "/* mine */ \"1 1 1 1 *\",");
    let reconciled = reconcile_wrangler("wrangler.jsonc", &own, &with_crons()).unwrap();
    assert!(
        dense(&reconciled.text).contains(r#"[/*mine*/"1111*",/*lunora*/"03**SUN",/*lunora*/"*/5****"]"#),
        "{}",
        reconciled.text
    );
    assert_eq!(reconciled.changes.len(), 1);
    assert_eq!(reconciled.changes[0].path, "triggers.crons");
    assert_eq!(reconciled.changes[0].description, "added the times `*/5 * * * *`");

    // What was added is added to a file without `triggers` as it is to a fresh one.
    let without = fresh_wrangler(&wanted());
    let reconciled = reconcile_wrangler("wrangler.jsonc", &without, &with_crons()).unwrap();
    assert!(
        dense(&reconciled.text).contains(r#""triggers":{"crons":[/*lunora*/"*/5****",/*lunora*/"03**SUN"]}"#),
        "{}",
        reconciled.text
    );
}

#[test]
fn times_that_no_cron_has_any_more_go_when_they_were_added_here() {
    let times = |crons: &[&str]| Wanted {
        crons: crons.iter().map(|&cron| cron.to_owned()).collect(),
        ..wanted()
    };
    let fresh = fresh_wrangler(&wanted());
    let cases = [
        // The list, what is wanted, and what the list becomes.
        (r#"[/* lunora */ "a"]"#, &[][..], "[]"),
        (r#"["mine", /* lunora */ "a"]"#, &[], r#"["mine"]"#),
        (r#"[/* lunora */ "a", "mine"]"#, &[], r#"["mine"]"#),
        (r#"[/* lunora */ "a", /* lunora */ "b", "mine"]"#, &[], r#"["mine"]"#),
        (
            r#"["mine", /* lunora */ "a", /* lunora */ "b"]"#,
            &["b"],
            r#"["mine", /* lunora */ "b"]"#,
        ),
        (r#"["mine", /* lunora */ "a", /* lunora */ "b"]"#, &[], r#"["mine"]"#),
        (r#"[ /* lunora */ "a", ]"#, &[], "[ ]"),
        (
            "[\n      // Hers.\n      \"mine\",\n      /* lunora */ \"a\"\n    ]",
            &[],
            "[\n      // Hers.\n      \"mine\"\n    ]",
        ),
        (
            "[\n      /* lunora */ \"a\", // Why not.\n      \"mine\",\n    ]",
            &[],
            "[\n      // Why not.\n      \"mine\",\n    ]",
        ),
        (
            "[\n      /* lunora */ \"a\",\n      /* lunora */ \"b\"\n    ]",
            &["b", "c"],
            "[\n      /* lunora */ \"c\",\n      /* lunora */ \"b\"\n    ]",
        ),
        (
            "[\n      /* lunora */ \"a\"\n    ]",
            &["a", "b"],
            "[\n      /* lunora */ \"a\",\n      /* lunora */ \"b\"\n    ]",
        ),
        // Without the mark, or with another one, it is somebody else's.
        (r#"["a", /* mine */ "b"]"#, &[], r#"["a", /* mine */ "b"]"#),
        (r#"["a"]"#, &["a"], r#"["a"]"#),
    ];
    for (list, crons, becomes) in cases {
        let with = |list: &str| fresh.replacen('{', &format!("{{ \"triggers\": {{ \"crons\": {list} }},"), 1);
        let reconciled = reconcile_wrangler("wrangler.jsonc", &with(list), &times(crons)).unwrap();
        assert_eq!(reconciled.text, with(becomes), "{list}");
        assert_eq!(reconciled.changes.is_empty(), list == becomes, "{list}");
        let again = reconcile_wrangler("wrangler.jsonc", &reconciled.text, &times(crons)).unwrap();
        assert_eq!((again.text, again.changes), (reconciled.text, Vec::new()), "{list}");
    }
}

/// Lists of every form: what is somebody else's stays byte by byte, comments stay, and what remains is what is wanted.
#[test]
fn random_lists_of_times_lose_only_what_was_added_here() {
    let mut random = Random::from_environment("wrangler crons", 7);
    let fresh = fresh_wrangler(&wanted());
    let mut removed = 0;
    for number in 0..3_000 {
        let mut own = Vec::new();
        let mut list = String::from("[");
        let count = random.below(6);
        for position in 0..count {
            let is_on_line = random.one_in(2);
            list.push_str(if is_on_line { "\n      " } else { " " });
            if random.one_in(5) {
                list.push_str("/* hers */ ");
            }
            let time = format!("{} * * * *", random.below(8));
            if !random.one_in(3) {
                list.push_str("/* lunora */ ");
            } else {
                own.push(time.clone());
            }
            list.push_str(&format!("\"{time}\""));
            if random.one_in(5) {
                list.push_str(" /* behind */");
            }
            if position + 1 < count || random.one_in(3) {
                list.push(',');
            }
            if random.one_in(5) {
                list.push_str(" // at the end\n");
            }
        }
        list.push_str(if random.one_in(2) { "\n    ]" } else { "]" });
        let crons: Vec<String> = (0..8)
            .filter(|_| random.one_in(3))
            .map(|minute| format!("{minute} * * * *"))
            .collect();
        let wanted = Wanted {
            crons: crons.clone(),
            ..wanted()
        };
        let text = fresh.replacen('{', &format!("{{ \"triggers\": {{ \"crons\": {list} }},"), 1);
        let reconciled = reconcile_wrangler("wrangler.jsonc", &text, &wanted).unwrap();
        let result = &reconciled.text;
        let is: Vec<String> = value(result)["triggers"]["crons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|time| time.as_str().unwrap().to_owned())
            .collect();
        assert!(
            is.iter().all(|time| own.contains(time) || crons.contains(time)),
            "{number}: {list}\n{result}"
        );
        assert!(
            own.iter().chain(&crons).all(|time| is.contains(time)),
            "{number}: {list}\n{result}"
        );
        for comment in ["/* hers */", "/* behind */", "// at the end"] {
            assert_eq!(
                result.matches(comment).count(),
                text.matches(comment).count(),
                "{number}: {text}\n{result}"
            );
        }
        let again = reconcile_wrangler("wrangler.jsonc", result, &wanted).unwrap();
        assert_eq!(
            (&again.text, again.changes.len()),
            (result, 0),
            "{number}: {list}\n{result}"
        );
        removed += usize::from(is.len() < count);
    }
    // The generator is worth something only if this happens.
    assert!(removed > 500, "{removed}");
}

#[test]
fn environments_inherit_the_times_unless_they_state_triggers() {
    let text = fresh_wrangler(&wanted()).replacen(
        '{',
        "{ \"triggers\": {}, \"env\": { \"own\": { \"triggers\": { \"crons\": [] } }, \"plain\": {} },",
        1,
    );
    let reconciled = reconcile_wrangler("wrangler.jsonc", &text, &with_crons()).unwrap();
    let paths: Vec<&str> = reconciled.changes.iter().map(|change| change.path.as_str()).collect();
    assert!(paths.contains(&"triggers.crons"), "{paths:?}");
    assert!(paths.contains(&"env.own.triggers.crons"), "{paths:?}");
    assert!(
        !paths.iter().any(|path| path.starts_with("env.plain.triggers")),
        "{paths:?}"
    );
    let again = reconcile_wrangler("wrangler.jsonc", &reconciled.text, &with_crons()).unwrap();
    assert_eq!(again.text, reconciled.text);
}
