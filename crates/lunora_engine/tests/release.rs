//! The gates of a deployment, on projects on disk.
#![allow(clippy::unwrap_used, reason = "a panic is a failed test")]

use lunora_engine::{
    BASELINE_FILE, CodegenFailure, CodegenOptions, Deployed, GateState, ReleaseFinish, ReleaseOptions, ReleaseReport,
    codegen, finish_release, release_gates,
};
use lunora_testing::TempProject;

const SCHEMA: &str = "import { defineSchema, defineTable, v } from \"lunorash/server\";
export const schema = defineSchema({
  notes: defineTable({ text: v.string(), tag: v.optional(v.string()) }),
  countries: defineTable({ name: v.string() }).global(),
});
";

const DAY: u64 = 24 * 60 * 60 * 1000;
const NOW: u64 = 1_800_000_000_000;

fn project() -> TempProject {
    TempProject::new([
        (
            "package.json",
            "{ \"name\": \"notes\", \"dependencies\": { \"lunorash\": \"1\" } }",
        ),
        ("lunora/schema.ts", SCHEMA),
        (
            "lunora/notes.ts",
            "import { query } from \"./_generated/server\";\nexport const list = query.query(async () => []);\n",
        ),
        (
            "node_modules/lunorash/package.json",
            "{ \"exports\": { \"./*\": \"./x.js\" } }",
        ),
        ("node_modules/lunorash/x.js", ""),
    ])
}

fn options(project: &TempProject) -> ReleaseOptions {
    ReleaseOptions {
        root: project.root().to_path_buf(),
        lunora_directory: None,
        allow_schema_drift: false,
        update_schema_baseline: false,
        strand_data: false,
        rehearsal: true,
        url: Some("https://notes.example.com".to_owned()),
        deployed: None,
        now: NOW,
    }
}

fn gates(options: &ReleaseOptions) -> ReleaseReport {
    release_gates(options).map_err(|failure| failure.diagnostics).unwrap()
}

fn baseline(project: &TempProject) -> String {
    std::fs::read_to_string(project.path("lunora").join(BASELINE_FILE)).unwrap()
}

fn state(report: &ReleaseReport, name: &str) -> Option<GateState> {
    report
        .gates
        .iter()
        .find(|gate| gate.name == name)
        .map(|gate| gate.state)
}

fn codes(report: &ReleaseReport) -> Vec<&str> {
    report.stops.iter().map(|stop| stop.code.as_str()).collect()
}

fn failure(options: &ReleaseOptions) -> Box<CodegenFailure> {
    release_gates(options).unwrap_err()
}

/// A project whose schema has been prepared once.
fn prepared() -> TempProject {
    let project = project();
    assert!(gates(&options(&project)).baseline_written);
    project
}

fn edit(project: &TempProject, from: &str, to: &str) {
    let text = std::fs::read_to_string(project.path("lunora/schema.ts")).unwrap();
    assert!(text.contains(from), "{text}");
    project.write("lunora/schema.ts", &text.replace(from, to));
}

#[test]
fn the_first_schema_is_captured_and_then_left_alone() {
    let project = project();
    let first = gates(&options(&project));
    assert!(first.baseline_written && first.stops.is_empty());
    let text = baseline(&project);
    assert!(
        text.starts_with("{\n  \"migrationIds\": [],\n  \"tables\": {\n    \"countries\""),
        "{text}"
    );
    assert!(text.ends_with("\"version\": 1\n}\n"), "{text}");
    edit(
        &project,
        "tag: v.optional(v.string())",
        "tag: v.optional(v.string()), more: v.optional(v.number())",
    );
    let second = gates(&options(&project));
    assert!(!second.baseline_written && second.stops.is_empty());
    assert_eq!(second.drift.changes.len(), 1);
    assert_eq!(baseline(&project), text);
    assert!(
        !project.path("wrangler.jsonc").exists(),
        "nothing is written but the baseline"
    );
    assert!(!project.path("lunora/_generated").exists());
}

#[test]
fn breaking_drift_stops_until_it_is_allowed_or_blessed() {
    let project = prepared();
    let before = baseline(&project);
    edit(&project, "text: v.string()", "text: v.number()");
    let stopped = gates(&options(&project));
    assert_eq!(codes(&stopped), ["SCHEMA_DRIFT"]);
    assert!(stopped.stops[0].message.contains("`notes.text`"), "{:?}", stopped.stops);
    assert!(stopped.stops[0].help.as_deref().unwrap().contains("defineMigration"));
    let allowed = gates(&ReleaseOptions {
        allow_schema_drift: true,
        ..options(&project)
    });
    assert!(allowed.stops.is_empty());
    assert_eq!(state(&allowed, "schema"), Some(GateState::Overridden));
    assert_eq!(baseline(&project), before, "allowed for one run");
    let blessed = gates(&ReleaseOptions {
        update_schema_baseline: true,
        ..options(&project)
    });
    assert!(blessed.stops.is_empty() && blessed.baseline_written);
    assert_eq!(gates(&options(&project)).drift.changes, []);
}

#[test]
fn a_deployment_writes_the_baseline_when_it_is_over() {
    let project = project();
    let report = gates(&ReleaseOptions {
        rehearsal: false,
        update_schema_baseline: true,
        ..options(&project)
    });
    assert!(!report.baseline_written && !project.path("lunora").join(BASELINE_FILE).exists());
    let name = finish_release(&ReleaseFinish {
        root: report.root.clone(),
        lunora_directory: report.lunora_directory.clone(),
        snapshot: report.snapshot.clone(),
        receipt: None,
    })
    .unwrap();
    assert_eq!(name, "lunora/.lunora-schema.json");
    assert_eq!(baseline(&project), report.snapshot);
}

#[test]
fn a_corrupt_baseline_is_an_error_with_its_place() {
    let project = prepared();
    let good = baseline(&project);
    for bad in [
        good.replace("  \"tables\"", "<<<<<<< HEAD\n  \"tables\""),
        good.replace("\"version\": 1", "\"version\": 7"),
        String::new(),
        "[]".to_owned(),
        good[..good.len() / 2].to_owned(),
    ] {
        project.write("lunora/.lunora-schema.json", &bad);
        for allow in [false, true] {
            let failure = failure(&ReleaseOptions {
                allow_schema_drift: allow,
                update_schema_baseline: allow,
                ..options(&project)
            });
            assert_eq!(failure.diagnostics[0].code.as_str(), "SCHEMA_SNAPSHOT_PARSE");
            assert_eq!(failure.diagnostics[0].labels[0].file, "lunora/.lunora-schema.json");
        }
        assert_eq!(baseline(&project), bad, "left as it was");
    }
}

#[test]
fn stale_generated_files_stop_and_missing_ones_do_not() {
    let project = project();
    assert_eq!(state(&gates(&options(&project)), "generated"), Some(GateState::Passed));
    let generate: CodegenOptions = serde_json::from_value(serde_json::json!({ "root": project.root() })).unwrap();
    codegen(&generate).unwrap();
    assert!(gates(&options(&project)).stops.is_empty());
    project.write(
        "lunora/more.ts",
        "import { query } from \"./_generated/server\";\nexport const one = query.query(async () => 1);\n",
    );
    let stopped = gates(&options(&project));
    assert!(codes(&stopped).iter().all(|code| *code == "GENERATED_STALE"));
    assert_eq!(state(&stopped, "generated"), Some(GateState::Stopped));
}

#[test]
fn errors_in_the_sources_and_imports_are_found_without_writing() {
    let project = project();
    project.write(
        "lunora/more.ts",
        "import { one } from \"./nowhere\";\nimport { query } from \"./_generated/server\";\nexport const more = query.query(async () => one);\n",
    );
    assert_eq!(
        failure(&options(&project)).diagnostics[0].code.as_str(),
        "IMPORT_UNRESOLVED"
    );
    project.write("wrangler.jsonc", "{ \"main\": }");
    project.remove("lunora/more.ts");
    assert_eq!(
        failure(&options(&project)).diagnostics[0].code.as_str(),
        "WRANGLER_SYNTAX"
    );
}

fn receipt(project: &TempProject, name: &str, jurisdiction: Option<&str>, tables: &[&str], exported_at: u64) {
    let tables: serde_json::Map<String, serde_json::Value> = tables
        .iter()
        .map(|table| ((*table).to_owned(), serde_json::json!({ "rows": 3, "hash": "00" })))
        .collect();
    let receipt = serde_json::json!({
        "version": 1, "sourceJurisdiction": jurisdiction, "exportedAt": exported_at,
        "url": "https://notes.example.com", "tables": tables, "complete": true,
    });
    project.write(&format!(".lunora/receipts/{name}.receipt.json"), &receipt.to_string());
}

#[test]
fn a_move_needs_an_export_that_covers_it() {
    let project = prepared();
    edit(&project, "});\n", "}).jurisdiction(\"eu\");\n");
    let allowed = ReleaseOptions {
        allow_schema_drift: true,
        update_schema_baseline: true,
        ..options(&project)
    };
    let before = baseline(&project);
    let stopped = gates(&allowed);
    assert_eq!(codes(&stopped), ["JURISDICTION_STRANDS_DATA"]);
    let help = stopped.stops[0].help.as_deref().unwrap();
    assert!(
        help.contains("lunora export --prod --url https://notes.example.com --out backup.ndjson --tables notes\n"),
        "{help}"
    );
    assert_eq!(baseline(&project), before, "a baseline must not hide the move");
    assert_eq!(
        codes(&gates(&options(&project))),
        ["SCHEMA_DRIFT", "JURISDICTION_STRANDS_DATA"]
    );

    let elsewhere = ReleaseOptions {
        url: Some("https://other.example.com".to_owned()),
        ..allowed.clone()
    };
    receipt(&project, "region", Some("us"), &["notes"], NOW);
    receipt(&project, "table", None, &["countries"], NOW);
    receipt(&project, "old", None, &["notes"], NOW - DAY - 1);
    project.write(".lunora/receipts/broken.receipt.json", "{");
    let still = gates(&allowed);
    assert_eq!(codes(&still), ["JURISDICTION_STRANDS_DATA"]);
    for why in [
        "`region.receipt.json` is of an export from us, and the data is in (none)",
        "`table.receipt.json` lacks the tables notes",
        "`old.receipt.json` is older than a day",
        "`broken.receipt.json` is no receipt",
    ] {
        assert!(
            still.stops[0].message.contains(why),
            "{why}: {}",
            still.stops[0].message
        );
    }

    receipt(&project, "good", None, &["notes"], NOW - DAY);
    let other = gates(&elsewhere);
    assert!(
        other.stops[0].message.contains("from `https://notes.example.com`"),
        "{:?}",
        other.stops
    );
    let passed = gates(&allowed);
    assert!(passed.stops.is_empty(), "{:?}", passed.stops);
    assert_eq!(state(&passed, "jurisdiction"), Some(GateState::Passed));
    finish_release(&ReleaseFinish {
        root: passed.root.clone(),
        lunora_directory: passed.lunora_directory.clone(),
        snapshot: passed.snapshot.clone(),
        receipt: passed.receipt.clone(),
    })
    .unwrap();
    assert!(project.path(".lunora/receipts/used/good.receipt.json").exists());
    // Of the same data, and older: it must not vouch for another move from there.
    assert!(project.path(".lunora/receipts/used/old.receipt.json").exists());
    assert!(project.path(".lunora/receipts/region.receipt.json").exists());
    assert_eq!(gates(&options(&project)).drift.changes, []);
}

#[test]
fn an_export_from_this_machine_covers_a_deployment_only_when_it_is_said() {
    let project = prepared();
    edit(&project, "});\n", "}).jurisdiction(\"eu\");\n");
    let write = |production: bool| {
        let receipt = serde_json::json!({
            "version": 1, "sourceJurisdiction": null, "exportedAt": NOW, "url": "http://localhost:5173",
            "production": production, "tables": { "notes": { "rows": 2, "hash": "00" } }, "complete": true,
        });
        project.write(".lunora/receipts/local.json", &receipt.to_string());
    };
    let unsaid = ReleaseOptions {
        allow_schema_drift: true,
        url: None,
        ..options(&project)
    };
    let said = |url: &str| ReleaseOptions {
        url: Some(url.to_owned()),
        ..unsaid.clone()
    };
    write(false);
    let stopped = gates(&unsaid);
    assert_eq!(codes(&stopped), ["JURISDICTION_STRANDS_DATA"]);
    let message = &stopped.stops[0].message;
    assert!(
        message.contains("`local.json` is of an export from `http://localhost:5173` on this machine"),
        "{message}"
    );
    assert_eq!(
        codes(&gates(&said("http://127.0.0.1:8787"))),
        ["JURISDICTION_STRANDS_DATA"]
    );
    assert!(gates(&said("http://127.0.0.1:5173")).stops.is_empty());
    write(true);
    assert!(gates(&said("http://127.0.0.1:8787")).stops.is_empty());
    let rehearsed = gates(&unsaid);
    assert!(rehearsed.stops.is_empty(), "{:?}", rehearsed.stops);
    // The server's own data are yet to move, and its start asks for the receipt too.
    assert_eq!(rehearsed.receipt, None);
}

#[test]
fn data_is_left_behind_only_when_it_is_said() {
    let project = prepared();
    edit(&project, "});\n", "}).jurisdiction(\"us\");\n");
    let strand = ReleaseOptions {
        strand_data: true,
        ..options(&project)
    };
    assert_eq!(codes(&gates(&strand)), ["SCHEMA_DRIFT"], "drift is another question");
    let both = gates(&ReleaseOptions {
        allow_schema_drift: true,
        ..strand
    });
    assert!(both.stops.is_empty());
    assert_eq!(state(&both, "jurisdiction"), Some(GateState::Overridden));
    assert!(both.runbook.is_some());
}

#[test]
fn what_is_deployed_knows_better_than_the_baseline() {
    let project = prepared();
    edit(&project, "});\n", "}).jurisdiction(\"eu\");\n");
    let moved = ReleaseOptions {
        allow_schema_drift: true,
        deployed: Some(Deployed {
            jurisdiction: Some("eu".to_owned()),
            shards: Some(7),
        }),
        ..options(&project)
    };
    assert!(gates(&moved).stops.is_empty(), "it is there already");

    // The baseline says what the schema says, and the data is elsewhere.
    gates(&ReleaseOptions {
        update_schema_baseline: true,
        strand_data: true,
        ..options(&project)
    });
    assert!(gates(&options(&project)).stops.is_empty());
    let hidden = ReleaseOptions {
        deployed: Some(Deployed {
            jurisdiction: Some("us".to_owned()),
            shards: Some(7),
        }),
        ..options(&project)
    };
    for baseline in ["there", "gone"] {
        if baseline == "gone" {
            project.remove("lunora/.lunora-schema.json");
        }
        let stopped = gates(&hidden);
        assert_eq!(codes(&stopped), ["JURISDICTION_STRANDS_DATA"], "{baseline}");
        assert!(
            stopped.stops[0].message.contains("from us to eu"),
            "{:?}",
            stopped.stops
        );
        assert!(stopped.stops[0].message.contains("in 7 objects"), "{:?}", stopped.stops);
    }
}

#[test]
fn a_new_migration_of_the_table_lets_pass_once() {
    let project = prepared();
    edit(&project, "text: v.string()", "text: v.number()");
    assert_eq!(codes(&gates(&options(&project))), ["SCHEMA_DRIFT"]);
    project.write(
        "lunora/migrations.ts",
        "import { defineMigration } from \"./_generated/server\";
export const numbers = defineMigration({ id: \"2026-numbers\", table: \"notes\", up: (note) => ({ ...note, text: Number(note.text) }) });
",
    );
    let covered = gates(&options(&project));
    assert!(covered.stops.is_empty(), "{:?}", covered.stops);
    assert_eq!(covered.drift.changes[0].covered_by, ["2026-numbers"]);
    let blessed = gates(&ReleaseOptions {
        update_schema_baseline: true,
        ..options(&project)
    });
    assert!(blessed.baseline_written && baseline(&project).contains("\"2026-numbers\""));
    // It has run: what changes from here on is not its business.
    edit(&project, "text: v.number()", "text: v.boolean()");
    assert_eq!(codes(&gates(&options(&project))), ["SCHEMA_DRIFT"]);
}

#[test]
fn regions_are_those_of_the_databases_of_global_tables() {
    let project = prepared();
    assert!(!baseline(&project).contains("regions"), "there is one database");
    let databases = |bindings: &[&str]| {
        let databases: Vec<_> = bindings
            .iter()
            .map(|binding| serde_json::json!({ "binding": binding, "database_name": "x", "database_id": "y" }))
            .collect();
        let text = serde_json::json!({ "name": "notes", "d1_databases": databases }).to_string();
        project.write("wrangler.jsonc", &text);
    };
    databases(&["DB", "DB_US", "DB_EU"]);
    let stopped = gates(&options(&project));
    assert_eq!(codes(&stopped), ["SCHEMA_DRIFT"]);
    assert!(stopped.stops[0].message.contains("eu, us"), "{:?}", stopped.stops);
    let version = stopped.schema_version.clone();
    let blessed = gates(&ReleaseOptions {
        update_schema_baseline: true,
        ..options(&project)
    });
    assert!(blessed.baseline_written);
    assert_eq!(blessed.schema_version, version);
    let snapshot: serde_json::Value = serde_json::from_str(&baseline(&project)).unwrap();
    assert_eq!(snapshot["regions"], serde_json::json!(["eu", "us"]));
    assert_eq!(gates(&options(&project)).drift.changes, []);
    // Rows of a region that has no binding any more would be out of reach.
    databases(&["DB_EU"]);
    assert_eq!(codes(&gates(&options(&project))), ["SCHEMA_DRIFT"]);
    // Without global tables there is nothing in any of them.
    edit(
        &project,
        "  countries: defineTable({ name: v.string() }).global(),\n",
        "",
    );
    let without = gates(&ReleaseOptions {
        update_schema_baseline: true,
        ..options(&project)
    });
    assert!(without.baseline_written && !baseline(&project).contains("regions"));
}

#[test]
fn a_receipt_of_a_proxy_counts_only_where_its_host_is_known() {
    let project = prepared();
    let export = |url: &str| {
        let receipt = serde_json::json!({
            "version": 1, "sourceJurisdiction": null, "exportedAt": NOW - 1, "url": url, "production": true,
            "tables": { "notes": { "rows": 2, "hash": "00" } }, "complete": true,
        });
        project.write(".lunora/receipts/proxy.json", &receipt.to_string());
    };
    edit(&project, "});\n", "}).jurisdiction(\"eu\");\n");
    export("https://notes.example.com/");
    let local = ReleaseOptions {
        allow_schema_drift: true,
        url: Some("http://127.0.0.1:8787/".to_owned()),
        ..options(&project)
    };
    let stopped = gates(&local);
    assert_eq!(codes(&stopped), ["JURISDICTION_STRANDS_DATA"]);
    assert!(
        stopped.stops[0].message.contains("--allowed-hosts"),
        "{:?}",
        stopped.stops
    );
    assert_eq!(
        codes(&gates(&ReleaseOptions {
            allow_schema_drift: true,
            ..options(&project)
        })),
        Vec::<&str>::new()
    );
}
