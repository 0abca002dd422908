//! What `defineMigration` declares, and every error it can end in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_ir::Migration;
use support::{Linked, link};

const SCHEMA: &str = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.id("rooms"), body: v.string() }).shardBy("roomId"),
});
"#;

const HEADER: &str = "import { defineMigration } from \"./_generated/server.js\";\n";

fn app(files: &[(&str, &str)]) -> Linked {
    let mut all = vec![("lunora/schema.ts", SCHEMA)];
    all.extend(files);
    link(&all)
}

fn migrations(text: &str) -> Linked {
    app(&[("lunora/migrations.ts", &format!("{HEADER}{text}"))])
}

#[track_caller]
fn fails(text: &str, code: &str, at: &str) {
    let linked = migrations(text);
    let (_, found) = linked.only(code);
    assert_eq!(found, at, "{}", linked.rendered());
    assert!(linked.application.migrations.is_empty() || code == "DUPLICATE_MIGRATION");
}

#[test]
fn migrations_of_all_files_in_the_order_of_their_ids() {
    let linked = app(&[
        (
            "lunora/migrations.ts",
            &format!(
                "{HEADER}export const later = defineMigration({{ id: '2', table: 'posts', up: (post) => ({{ ...post }}), down: (post) => post, batchSize: 10 }});"
            ),
        ),
        (
            "lunora/migrations/first.ts",
            "import { defineMigration as migration } from 'lunorash/server';\nconst id = '1-name';\nexport default migration({ id, table: 'rooms', up(room) { return room; } });",
        ),
        (
            "lunora/all.ts",
            "export * from './migrations.js';\nexport { default as first } from './migrations/first.js';",
        ),
    ]);
    linked.assert_sound();
    assert_eq!(
        linked.application.migrations,
        [
            Migration {
                id: "1-name".into(),
                table: "rooms".into(),
                file: "lunora/migrations/first.ts".into(),
                export: "default".into(),
                has_down: false,
            },
            Migration {
                id: "2".into(),
                table: "posts".into(),
                file: "lunora/migrations.ts".into(),
                export: "later".into(),
                has_down: true,
            },
        ]
    );
    assert!(linked.application.functions.is_empty());
}

#[test]
fn what_a_migration_needs() {
    let up = "up: (room) => room";
    for (options, code, at) in [
        (format!("table: 'rooms', {up}"), "BAD_ARGUMENT", "defineMigration"),
        (format!("id: '1', {up}"), "BAD_ARGUMENT", "defineMigration"),
        ("id: '1', table: 'rooms'".to_owned(), "BAD_ARGUMENT", "defineMigration"),
        (format!("id: 1, table: 'rooms', {up}"), "BAD_ARGUMENT", "1"),
        (format!("id: '', table: 'rooms', {up}"), "BAD_ARGUMENT", "''"),
        (format!("id: 'a b', table: 'rooms', {up}"), "BAD_ARGUMENT", "'a b'"),
        (format!("id: '__a', table: 'rooms', {up}"), "BAD_ARGUMENT", "'__a'"),
        (
            format!("id: '1', table: 'rooms', {up}, upp: 1"),
            "UNKNOWN_OPTION",
            "upp",
        ),
        (format!("id: '1', table: 'room', {up}"), "UNKNOWN_TABLE", "'room'"),
        (
            format!("id: String(Date.now()), table: 'rooms', {up}"),
            "NOT_STATIC",
            "String",
        ),
        (format!("...options, table: 'rooms', {up}"), "NOT_STATIC", "options"),
    ] {
        let text = format!("export const one = defineMigration({{ {options} }});");
        let linked = migrations(&text);
        let (_, found) = linked.only(code);
        assert_eq!(found, at, "{options}: {}", linked.rendered());
    }
}

#[test]
fn an_id_stands_for_one_migration() {
    fails(
        "export const one = defineMigration({ id: '1', table: 'rooms', up: (room) => room });\nexport const two = defineMigration({ id: \"1\", table: 'posts', up: (post) => post });",
        "DUPLICATE_MIGRATION",
        "\"1\"",
    );
}
