//! Errors that the fixtures do not show.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::link;

const SCHEMA: &str = "import { defineSchema, defineTable, v } from 'lunorash/server';
export const schema = defineSchema({ a: defineTable({ x: v.string() }) });";

#[test]
fn a_schema_there_is_none_of() {
    assert_eq!(link(&[]).codes(), ["SCHEMA_NOT_FOUND"]);
    for text in [
        "export const other = 1;",
        "export const schema = 1;",
        "import { v } from 'lunorash/server'; export default v.string();",
    ] {
        link(&[("lunora/schema.ts", text)]).only("SCHEMA_NOT_FOUND");
    }
}

#[test]
fn a_name_exported_twice() {
    // The parser sees the plain cases, linking those it lets through.
    let linked = link(&[
        ("lunora/schema.ts", SCHEMA),
        (
            "lunora/a.ts",
            "const x = 1, y = 2;\nexport { x as z };\nexport { y as z };",
        ),
    ]);
    let code = linked.codes();
    assert!(
        code == ["DUPLICATE_EXPORT"] || code == ["SYNTAX_ERROR"],
        "{}",
        linked.rendered()
    );
    let linked = link(&[
        ("lunora/schema.ts", SCHEMA),
        ("lunora/b.ts", "export const z = 1;"),
        ("lunora/a.ts", "export { z } from './b';\nexport { z } from './b.js';"),
    ]);
    let code = linked.codes();
    assert!(
        code == ["DUPLICATE_EXPORT"] || code == ["SYNTAX_ERROR"],
        "{}",
        linked.rendered()
    );
}

#[test]
fn a_relation_there_is_none_of() {
    let schema = "import { defineSchema, defineTable, v } from 'lunorash/server';
export const schema = defineSchema({
  a: defineTable({ x: v.id('a') }).relations((r) => ({ parent: r.one('a', { field: 'x' }) })),
});";
    let linked = link(&[
        ("lunora/schema.ts", schema),
        (
            "lunora/f.ts",
            "import { query } from './_generated/server';
export const f = query.query(({ ctx }) => ctx.db.a.findMany({ with: { parent: { with: { paretn: true } } } }));",
        ),
    ]);
    let (diagnostic, text) = linked.only("UNKNOWN_RELATION");
    assert_eq!(text, "paretn");
    assert_eq!(diagnostic.help.as_deref(), Some("Did you mean `parent`?"));
}

#[test]
fn a_type_that_cannot_be_taken_along() {
    let schema = "import { defineSchema, defineTable, v } from 'lunorash/server';
import type { Mood } from './types';
export const schema = defineSchema({ a: defineTable({ x: v.string().$type<Mood | Array<'x'>>(), y: v.any().$type<Record<string, 1>>() }) });";
    let linked = link(&[("lunora/schema.ts", schema)]);
    let (diagnostic, text) = linked.only("TYPE_NOT_PORTABLE");
    assert_eq!(text, "Mood | Array<'x'>");
    assert_eq!(diagnostic.severity, lunora_diagnostics::Severity::Warning);
    assert!(
        matches!(&linked.application.tables["a"].columns["y"].validator, lunora_ir::Validator::Typed { text, .. } if text == "Record<string, 1>")
    );
}

#[test]
fn nesting_beyond_reason() {
    let text = format!("export const x = {}1{};", "(".repeat(3_000), ")".repeat(3_000));
    let linked = link(&[("lunora/schema.ts", SCHEMA), ("lunora/a.ts", &text)]);
    linked.only("NESTING_TOO_DEEP");
}

#[test]
fn every_file_is_told_of() {
    let linked = link(&[
        ("lunora/schema.ts", SCHEMA),
        ("lunora/a.ts", "const = 1;"),
        ("lunora/b.ts", "let let = 1;"),
    ]);
    let files: Vec<&str> = linked
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.labels[0].file.as_str())
        .collect();
    assert!(
        files.contains(&"lunora/a.ts") && files.contains(&"lunora/b.ts"),
        "{}",
        linked.rendered()
    );
}
