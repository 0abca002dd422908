#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::diff::diff;
use super::kind_text::kind_text;
use super::widening::is_widening;
use super::*;
use crate::{Index, LiteralValue, Migration, OnDelete, RelationKind, Validator};

fn field(kind: &str, optional: bool) -> FieldSnapshot {
    FieldSnapshot {
        kind: kind.to_owned(),
        optional,
    }
}

fn base() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.tables.insert(
        "messages".to_owned(),
        TableSnapshot {
            fields: BTreeMap::from([
                ("channel".to_owned(), field("id(\"channels\")", false)),
                ("text".to_owned(), field("string", false)),
                ("note".to_owned(), field("string", true)),
            ]),
            indexes: BTreeMap::from([(
                "byText".to_owned(),
                Index {
                    fields: vec!["text".to_owned()],
                    unique: false,
                },
            )]),
            relations: BTreeMap::from([(
                "in".to_owned(),
                RelationSnapshot {
                    field: "channel".to_owned(),
                    kind: RelationKind::One,
                    on_delete: None,
                    references: "_id".to_owned(),
                    table: "channels".to_owned(),
                },
            )]),
            shard_mode: "shardBy:channel".to_owned(),
        },
    );
    snapshot
}

fn messages(snapshot: &mut Snapshot) -> &mut TableSnapshot {
    snapshot.tables.get_mut("messages").unwrap()
}

fn empty_table() -> TableSnapshot {
    TableSnapshot {
        fields: BTreeMap::new(),
        indexes: BTreeMap::new(),
        relations: BTreeMap::new(),
        shard_mode: "global".to_owned(),
    }
}

/// Each kind of change, made alone, is found as that kind alone.
#[test]
fn every_kind_is_found_as_itself() {
    type Edit = fn(&mut Snapshot);
    let cases: [(ChangeKind, bool, Edit); 23] = [
        (ChangeKind::AddedTable, false, |s| {
            s.tables.insert("other".to_owned(), empty_table());
        }),
        (ChangeKind::AddedOptionalField, false, |s| {
            messages(s).fields.insert("x".to_owned(), field("string", true));
        }),
        (ChangeKind::FieldRequiredToOptional, false, |s| {
            messages(s).fields.insert("text".to_owned(), field("string", true));
        }),
        (ChangeKind::WidenedFieldKind, false, |s| {
            messages(s)
                .fields
                .insert("text".to_owned(), field("union(null, string)", false));
        }),
        (ChangeKind::AddedIndex, false, |s| {
            let index = messages(s).indexes.get("byText").cloned().unwrap();
            messages(s).indexes.insert("other".to_owned(), index);
        }),
        (ChangeKind::AddedRelation, false, |s| {
            let relation = messages(s).relations.get("in").cloned().unwrap();
            messages(s).relations.insert("other".to_owned(), relation);
        }),
        (ChangeKind::RemovedTable, true, |s| {
            s.tables.clear();
        }),
        (ChangeKind::RemovedField, true, |s| {
            messages(s).fields.remove("text");
        }),
        (ChangeKind::ChangedFieldKind, true, |s| {
            messages(s).fields.insert("text".to_owned(), field("number", false));
        }),
        (ChangeKind::FieldOptionalToRequired, true, |s| {
            messages(s).fields.insert("note".to_owned(), field("string", false));
        }),
        (ChangeKind::AddedRequiredField, true, |s| {
            messages(s).fields.insert("x".to_owned(), field("string", false));
        }),
        (ChangeKind::ChangedIndex, true, |s| {
            messages(s).indexes.get_mut("byText").unwrap().unique = true;
        }),
        (ChangeKind::ChangedIndex, true, |s| {
            messages(s).indexes.get_mut("byText").unwrap().fields = vec!["note".to_owned()];
        }),
        (ChangeKind::RemovedIndex, true, |s| {
            messages(s).indexes.clear();
        }),
        (ChangeKind::RemovedRelation, true, |s| {
            messages(s).relations.clear();
        }),
        (ChangeKind::ChangedRelation, true, |s| {
            messages(s).relations.get_mut("in").unwrap().table = "rooms".to_owned();
        }),
        (ChangeKind::ChangedRelation, true, |s| {
            messages(s).relations.get_mut("in").unwrap().field = "text".to_owned();
        }),
        (ChangeKind::ChangedRelation, true, |s| {
            messages(s).relations.get_mut("in").unwrap().on_delete = Some(OnDelete::Cascade);
        }),
        (ChangeKind::ChangedRelation, true, |s| {
            messages(s).relations.get_mut("in").unwrap().kind = RelationKind::Many;
        }),
        (ChangeKind::ChangedRelation, true, |s| {
            messages(s).relations.get_mut("in").unwrap().references = "key".to_owned();
        }),
        (ChangeKind::ChangedShardMode, true, |s| {
            messages(s).shard_mode = "root".to_owned();
        }),
        (ChangeKind::ChangedJurisdiction, true, |s| {
            s.jurisdiction = Some("eu".to_owned());
        }),
        (ChangeKind::ChangedRegions, true, |s| {
            s.regions = Some(BTreeSet::from(["eu".to_owned()]));
        }),
    ];
    for (kind, breaking, edit) in cases {
        let mut after = base();
        edit(&mut after);
        let drift = Drift::between(&base(), &after, &[]);
        let found: Vec<_> = drift.changes.iter().map(|entry| entry.change.kind).collect();
        assert_eq!(found, [kind]);
        assert_eq!(drift.changes[0].breaking, breaking, "{kind:?}");
        assert_eq!(drift.blocking().count(), usize::from(breaking), "{kind:?}");
    }
}

fn migration(id: &str, table: &str) -> Migration {
    Migration {
        id: id.to_owned(),
        table: table.to_owned(),
        file: "lunora/migrations.ts".to_owned(),
        export: id.to_owned(),
        has_down: false,
    }
}

#[test]
fn only_a_new_migration_of_the_table_covers_and_only_what_it_can_mend() {
    let mut after = base();
    messages(&mut after)
        .fields
        .insert("text".to_owned(), field("number", false));
    let blocks = |baseline: &Snapshot, after: &Snapshot, migrations: &[Migration]| {
        Drift::between(baseline, after, migrations).blocking().count()
    };
    assert_eq!(blocks(&base(), &after, &[migration("one", "messages")]), 0);
    assert_eq!(blocks(&base(), &after, &[migration("one", "channels")]), 1);
    let mut blessed = base();
    blessed.migration_ids.insert("one".to_owned());
    assert_eq!(blocks(&blessed, &after, &[migration("one", "messages")]), 1);
    assert_eq!(
        blocks(
            &blessed,
            &after,
            &[migration("one", "messages"), migration("two", "messages")]
        ),
        0
    );
    messages(&mut after).shard_mode = "root".to_owned();
    assert_eq!(blocks(&base(), &after, &[migration("one", "messages")]), 1);
}

#[test]
fn the_text_is_sorted_and_ends_with_a_newline() {
    let mut snapshot = base();
    snapshot.jurisdiction = Some("eu".to_owned());
    snapshot.migration_ids = BTreeSet::from(["b".to_owned(), "a".to_owned()]);
    snapshot.regions = Some(BTreeSet::from(["us".to_owned(), "eu".to_owned()]));
    messages(&mut snapshot).relations.get_mut("in").unwrap().on_delete = Some(OnDelete::SetNull);
    messages(&mut snapshot).relations.get_mut("in").unwrap().references = "key".to_owned();
    let text = snapshot.to_text().unwrap();
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    fn check(value: &Value) {
        match value {
            Value::Object(object) => {
                let keys: Vec<_> = object.keys().collect();
                assert!(keys.is_sorted(), "{keys:?}");
                object.values().for_each(check);
            }
            Value::Array(items) => items.iter().for_each(check),
            _ => {}
        }
    }
    // `preserve_order` is on in this workspace, so the order that is read is the one that was written.
    check(&serde_json::from_str(&text).unwrap());
    assert_eq!(Snapshot::parse(&text).unwrap(), snapshot);
}

#[test]
fn a_corrupt_baseline_is_told_with_its_place() {
    let good = base().to_text().unwrap();
    for (text, says) in [
        (String::new(), "EOF"),
        (
            good.replace("\"tables\"", "<<<<<<< HEAD\n\"tables\""),
            "key must be a string",
        ),
        (good.replace("\"version\": 1", "\"version\": 2"), "version is 2"),
        (good.replace("\"migrationIds\": [],", ""), "migrationIds"),
        (good.replace("\"version\": 1", "\"version\": 1, \"more\": 1"), "more"),
        (good[..good.len() / 2].to_owned(), "EOF"),
    ] {
        let error = Snapshot::parse(&text).unwrap_err();
        assert!(error.message.contains(says), "{says}: {error}");
    }
    assert_eq!(
        Snapshot::parse(&good.replace("\"tables\"", "tables")).unwrap_err().line,
        3
    );
}

#[test]
fn the_change_of_jurisdiction_says_what_it_strands_and_how_to_move_it() {
    let mut after = base();
    after.jurisdiction = Some("us".to_owned());
    after.tables.insert("countries".to_owned(), empty_table());
    let drift = Drift::between(&base(), &after, &[]);
    let change = drift.jurisdiction().unwrap();
    assert!(change.message().starts_with(
        "Durable Object jurisdiction changed from (none) to us — this re-homes every DO and strands all existing shard, scheduler, and session-DO data in the old region"
    ));
    let mut baseline = base();
    baseline.tables.insert("countries".to_owned(), empty_table());
    let mut stranded = Stranded::of(&baseline);
    assert_eq!(
        stranded_text(&stranded),
        "left behind: `messages`; scheduled jobs and sessions"
    );
    stranded.shards = Some(12);
    stranded.rows.insert("messages".to_owned(), Some(3));
    assert_eq!(
        stranded_text(&stranded),
        "left behind: `messages` (3 rows) in 12 objects; scheduled jobs and sessions"
    );
    let text = runbook(
        &baseline,
        &after,
        "https://app.example.com/?a=1&b='",
        "lunora/schema.ts",
    );
    assert!(
        text.contains("--url 'https://app.example.com/?a=1&b='\\''' --out backup.ndjson --tables messages\n"),
        "{text}"
    );
    assert!(text.contains(".jurisdiction(\"us\")"));
    assert!(!text.contains("countries"));
    let steps: Vec<usize> = ["export", "codegen", "deploy", "import"]
        .iter()
        .map(|step| text.find(&format!("\nlunora {step}")).unwrap())
        .collect();
    assert!(steps.is_sorted());
}

#[test]
fn widening_keeps_every_stored_value() {
    for (before, after, widens) in [
        ("string", "any", true),
        ("any", "string", false),
        ("string", "union(null, string)", true),
        ("union(null, string)", "string", false),
        ("literal(\"a\")", "string", true),
        ("literal(1)", "number", true),
        ("literal(1n)", "bigint", true),
        ("literal(true)", "boolean", true),
        ("literal(\"1\")", "number", false),
        (
            "union(literal(\"a\"), literal(\"b\"))",
            "union(literal(\"a\"), literal(\"b\"), literal(\"c\"))",
            true,
        ),
        (
            "union(literal(\"a\"), literal(\"b\"))",
            "union(literal(\"a\"), literal(\"c\"))",
            false,
        ),
        ("array(id(\"a\"))", "array(string)", true),
        ("array(string)", "array(id(\"a\"))", false),
        ("record(string, number)", "record(string, any)", true),
        ("object(\"a\": string)", "object(\"a\": string, \"b\"?: number)", true),
        ("object(\"a\": string)", "object(\"a\": string, \"b\": number)", false),
        ("object(\"a\": string)", "object(\"a\"?: string)", true),
        ("object(\"a\"?: string)", "object(\"a\": string)", false),
        ("object(\"a\": string, \"b\": string)", "object(\"a\": string)", false),
        ("object()", "object(\"a), b\"?: string)", true),
        ("timestamp", "number", true),
        ("number", "timestamp", false),
        ("what is this(", "any", false),
    ] {
        assert_eq!(is_widening(before, after), widens, "{before} to {after}");
    }
}

#[test]
fn the_same_values_have_the_same_text() {
    let text = |validator: &Validator| kind_text(validator);
    let nullable = |inner| Validator::Nullable { inner: Box::new(inner) };
    let union = |members| Validator::Union { members };
    let one = union(vec![
        nullable(Validator::String),
        union(vec![Validator::Number, Validator::String]),
    ]);
    let two = union(vec![
        Validator::Number,
        Validator::String,
        Validator::Literal {
            value: LiteralValue::Null,
        },
    ]);
    assert_eq!(text(&one), "union(null, number, string)");
    assert_eq!(text(&one), text(&two));
    let typed = Validator::Typed {
        inner: Box::new(Validator::String),
        text: "`a${string}`".to_owned(),
    };
    assert_eq!(text(&typed), "string");
}

fn validator() -> impl Strategy<Value = Validator> {
    let leaf = prop_oneof![
        Just(Validator::String),
        Just(Validator::Number),
        Just(Validator::Boolean),
        Just(Validator::Bytes),
        Just(Validator::Any),
        "[a-c]".prop_map(|table| Validator::Id { table }),
        "[\\PC\"\\\\(),]{0,3}".prop_map(|text| Validator::Literal {
            value: LiteralValue::String(text)
        }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|item| Validator::Array { item: Box::new(item) }),
            inner
                .clone()
                .prop_map(|inner| Validator::Nullable { inner: Box::new(inner) }),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|members| Validator::Union { members }),
            prop::collection::vec(("[a-d\"),: ]{1,2}", inner, any::<bool>()), 0..3).prop_map(|fields| {
                Validator::Object {
                    fields: fields
                        .into_iter()
                        .map(|(name, field, optional)| {
                            let field = if optional {
                                Validator::Optional { inner: Box::new(field) }
                            } else {
                                field
                            };
                            (name, field)
                        })
                        .collect(),
                }
            }),
        ]
    })
}

fn table() -> impl Strategy<Value = TableSnapshot> {
    let fields = prop::collection::btree_map("[a-e]", (validator(), any::<bool>()), 0..4);
    let indexes = prop::collection::btree_map("[a-e]", (prop::collection::vec("[a-e]", 1..3), any::<bool>()), 0..3);
    let on_delete = prop_oneof![
        Just(None),
        Just(Some(OnDelete::Cascade)),
        Just(Some(OnDelete::Restrict)),
        Just(Some(OnDelete::SetNull))
    ];
    let relations = prop::collection::btree_map("[a-e]", ("[a-e]", "[a-e]", any::<bool>(), on_delete), 0..3);
    let mode = prop_oneof![
        Just("root".to_owned()),
        Just("colocated".to_owned()),
        Just("global".to_owned()),
        "[a-e]".prop_map(|field| format!("shardBy:{field}")),
    ];
    (fields, indexes, relations, mode).prop_map(|(fields, indexes, relations, shard_mode)| TableSnapshot {
        fields: fields
            .into_iter()
            .map(|(name, (validator, optional))| (name, field(&kind_text(&validator), optional)))
            .collect(),
        indexes: indexes
            .into_iter()
            .map(|(name, (fields, unique))| (name, Index { fields, unique }))
            .collect(),
        relations: relations
            .into_iter()
            .map(|(name, (table, field, many, on_delete))| {
                let kind = if many { RelationKind::Many } else { RelationKind::One };
                let references = "_id".to_owned();
                (
                    name,
                    RelationSnapshot {
                        field,
                        kind,
                        on_delete,
                        references,
                        table,
                    },
                )
            })
            .collect(),
        shard_mode,
    })
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let region = prop::option::of(prop_oneof![Just("eu".to_owned()), Just("us".to_owned())]);
    let regions = prop::option::of(prop::collection::btree_set("eu|us|ap", 0..3));
    let tables = prop::collection::btree_map("[a-e]", table(), 0..4);
    (region, regions, tables).prop_map(|(jurisdiction, regions, tables)| {
        let mut snapshot = Snapshot::default();
        snapshot.jurisdiction = jurisdiction;
        snapshot.regions = regions;
        snapshot.tables = tables;
        snapshot
    })
}

/// Every place in the JSON of a snapshot that holds a value, `version` and migrations aside.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                if path.is_empty() && (name == "version" || name == "migrationIds") {
                    continue;
                }
                let name = name.replace('~', "~0").replace('/', "~1");
                places(inner, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (position, inner) in items.iter().enumerate() {
                places(inner, &format!("{path}/{position}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn shuffled(value: &Value, seed: u64) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            let length = entries.len();
            if length > 1 {
                entries.rotate_left(usize::try_from(seed).unwrap_or(1) % length);
                if seed % 2 == 1 {
                    entries.reverse();
                }
            }
            Value::Object(
                entries
                    .into_iter()
                    .map(|(name, inner)| (name.clone(), shuffled(inner, seed.rotate_right(3))))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn nothing_changes_between_a_schema_and_itself(one in snapshot()) {
        prop_assert_eq!(diff(&one, &one), Vec::new());
        let text = one.to_text().unwrap();
        prop_assert_eq!(Snapshot::parse(&text).unwrap(), one);
    }

    #[test]
    fn the_order_of_keys_never_matters(one in snapshot(), seed in any::<u64>()) {
        let value: Value = serde_json::from_str(&one.to_text().unwrap()).unwrap();
        let other = Snapshot::parse(&shuffled(&value, seed).to_string()).unwrap();
        prop_assert_eq!(other.to_text().unwrap(), one.to_text().unwrap());
        prop_assert_eq!(diff(&one, &other), Vec::new());
    }

    /// Whatever single value of the snapshot is altered, the difference is seen, and seen from both sides.
    #[test]
    fn no_single_mutation_escapes(one in snapshot(), pick in any::<prop::sample::Index>()) {
        let mut value: Value = serde_json::from_str(&one.to_text().unwrap()).unwrap();
        let mut found = Vec::new();
        places(&value, "", &mut found);
        prop_assume!(!found.is_empty());
        let path = &found[pick.index(found.len())];
        let place = value.pointer_mut(path).unwrap();
        *place = match &*place {
            Value::Bool(flag) => Value::Bool(!flag),
            Value::String(text) => match text.as_str() {
                "one" => "many".into(),
                "many" => "one".into(),
                "cascade" => "restrict".into(),
                "restrict" | "set null" => "cascade".into(),
                text => format!("{text}x").into(),
            },
            other => panic!("{path}: {other}"),
        };
        let other = Snapshot::parse(&value.to_string()).unwrap();
        prop_assert!(!diff(&one, &other).is_empty(), "{}", path);
        prop_assert!(!diff(&other, &one).is_empty(), "{}", path);
        let is_of_rows = path.starts_with("/tables/") && !path.contains("/indexes/") && !path.contains("/relations/");
        prop_assert_eq!(one.schema_version() != other.schema_version(), is_of_rows, "{}", path);
    }

    /// Taking any part away is seen too.
    #[test]
    fn no_removal_escapes(one in snapshot(), pick in any::<prop::sample::Index>()) {
        let mut smaller = Vec::new();
        for table in one.tables.keys() {
            let mut next = one.clone();
            next.tables.remove(table);
            smaller.push(next);
            let parts = &one.tables[table];
            for name in parts.fields.keys() {
                let mut next = one.clone();
                next.tables.get_mut(table).unwrap().fields.remove(name);
                smaller.push(next);
            }
            for name in parts.indexes.keys() {
                let mut next = one.clone();
                next.tables.get_mut(table).unwrap().indexes.remove(name);
                smaller.push(next);
            }
            for name in parts.relations.keys() {
                let mut next = one.clone();
                next.tables.get_mut(table).unwrap().relations.remove(name);
                smaller.push(next);
            }
        }
        prop_assume!(!smaller.is_empty());
        let less = &smaller[pick.index(smaller.len())];
        prop_assert_eq!(Drift::between(&one, less, &[]).blocking().count(), 1);
        prop_assert_eq!(diff(less, &one).len(), 1);
    }

    /// A union with one more member takes what it took; a kind widens to itself and to `any`.
    #[test]
    fn widening_agrees_with_unions(one in validator(), two in validator()) {
        let both = Validator::Union { members: vec![one.clone(), two] };
        prop_assert!(is_widening(&kind_text(&one), &kind_text(&both)), "{} {}", kind_text(&one), kind_text(&both));
        prop_assert!(is_widening(&kind_text(&one), "any"));
    }
}
