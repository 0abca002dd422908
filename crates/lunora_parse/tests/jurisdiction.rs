//! `.jurisdiction(…)` as it may be written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Linked, link};

const EXTENSION: &str = "import { defineSchemaExtension, defineTable, v } from 'lunorash/server';
export const blog = defineSchemaExtension('blog', { tables: { posts: defineTable({ title: v.string() }) } });";

/// A schema with `modifiers` after `defineSchema(…)`, and `declarations` before it.
fn schema(declarations: &str, modifiers: &str) -> Linked {
    let text = format!(
        "import {{ defineSchema, defineTable, v }} from 'lunorash/server';
import {{ blog }} from './blog';
{declarations}
export const schema = defineSchema({{ users: defineTable({{ name: v.string() }}) }}){modifiers};"
    );
    link(&[
        ("lunora/schema.ts", &text),
        ("lunora/blog.ts", EXTENSION),
        (
            "lunora/region.ts",
            "export const REGION = 'us';\nexport const regions = { main: 'fedramp-high' } as const;",
        ),
    ])
}

#[test]
fn it_composes_with_the_other_modifiers_in_any_order() {
    let modifiers = [".rls('required')", ".extend(blog)", ".jurisdiction('eu')"];
    for first in 0..3 {
        for second in (0..3).filter(|second| *second != first) {
            let third = 3 - first - second;
            let chain = [modifiers[first], modifiers[second], modifiers[third]].concat();
            let linked = schema("", &chain);
            linked.assert_sound();
            let application = &linked.application;
            assert_eq!(application.jurisdiction.as_deref(), Some("eu"), "{chain}");
            assert!(application.rls_required, "{chain}");
            let tables: Vec<&str> = application.tables.keys().map(String::as_str).collect();
            assert_eq!(tables, ["users", "blog_posts"], "{chain}");
        }
    }
}

#[test]
fn every_name_of_the_platform_is_known() {
    for name in lunora_ir::JURISDICTIONS {
        let linked = schema("", &format!(".jurisdiction('{name}')"));
        assert_eq!(linked.assert_sound().application.jurisdiction.as_deref(), Some(*name));
    }
}

#[test]
fn constants_and_imports_are_followed() {
    for (declarations, argument, region) in [
        ("const region = 'eu';", "region", "eu"),
        ("const region = 'eu' as const;", "region", "eu"),
        ("const all = { region: 'fedramp' };", "all.region", "fedramp"),
        ("import { REGION } from './region';", "REGION", "us"),
        ("import { REGION as here } from './region.js';", "here", "us"),
        ("import { regions } from './region';", "regions.main", "fedramp-high"),
        ("import * as all from './region';", "all.REGION", "us"),
    ] {
        let linked = schema(declarations, &format!(".rls('required').jurisdiction({argument})"));
        assert_eq!(
            linked.assert_sound().application.jurisdiction.as_deref(),
            Some(region),
            "{declarations}"
        );
    }
}

#[test]
fn an_unknown_name_is_refused_with_what_was_meant() {
    let linked = schema("", ".jurisdiction('eur')");
    let (diagnostic, text) = linked.only("UNKNOWN_JURISDICTION");
    assert_eq!(text, "'eur'");
    assert_eq!(diagnostic.help.as_deref(), Some("Did you mean `eu`?"));
    let linked = schema("", ".jurisdiction('mars')");
    let (diagnostic, _) = linked.only("UNKNOWN_JURISDICTION");
    let help = diagnostic.help.as_deref().unwrap();
    for name in lunora_ir::JURISDICTIONS {
        assert!(help.contains(name), "{name} in {help}");
    }
}

#[test]
fn what_cannot_be_read_is_no_silent_absence() {
    let linked = schema("declare const somewhere: 'eu';", ".jurisdiction(somewhere)");
    assert!(
        !linked.codes().is_empty(),
        "a jurisdiction that is not visible stops code generation"
    );
}

#[test]
fn a_schema_has_one() {
    let linked = schema("", ".jurisdiction('eu').jurisdiction('us')");
    let (diagnostic, _) = linked.only("UNKNOWN_JURISDICTION");
    assert!(
        diagnostic.message.contains("already pinned to `eu`"),
        "{}",
        diagnostic.message
    );
}
