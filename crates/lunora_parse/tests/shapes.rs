//! What `shapes.ts` and `mutators.ts` declare: where it lives, and every error it can end in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_ir::{Address, FunctionKind, Shape, ShapeRefresh, Visibility};
use support::{Linked, link};

const SCHEMA: &str = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  people: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.id("rooms"), body: v.string(), at: v.number() }).shardBy("roomId"),
  votes: defineTable({ roomId: v.id("rooms"), postId: v.id("posts") }).shardBy("roomId"),
  days: defineTable({ day: v.number(), text: v.string() }).shardBy("day"),
  limits: defineTable({ key: v.string() }).colocated(),
  settings: defineTable({ key: v.string() }).global(),
});
"#;

const HEADER: &str = "import { mutation, mutator, query, shape, v } from \"./_generated/server.js\";\n";

fn app(files: &[(&str, &str)]) -> Linked {
    let mut all = vec![("lunora/schema.ts", SCHEMA)];
    all.extend(files);
    link(&all)
}

fn shapes(text: &str) -> Linked {
    app(&[("lunora/shapes.ts", &format!("{HEADER}{text}"))])
}

fn mutators(text: &str) -> Linked {
    app(&[("lunora/mutators.ts", &format!("{HEADER}{text}"))])
}

#[track_caller]
fn shape(text: &str) -> Shape {
    let linked = shapes(text);
    linked.assert_sound();
    let [shape] = &linked.application.shapes[..] else {
        panic!("{:?}", linked.application.shapes);
    };
    (**shape).clone()
}

#[track_caller]
fn fails(linked: &Linked, code: &str, at: &str) {
    let (_, found) = linked.only(code);
    assert_eq!(found, at, "{}", linked.rendered());
}

fn argument(argument: &str, field: &str) -> Address {
    Address::Argument {
        argument: argument.to_owned(),
        field: field.to_owned(),
    }
}

#[test]
fn the_table_decides_where_a_shape_lives() {
    for (options, table, address) in [
        ("table: 'rooms'", "rooms", Address::Root),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }",
            "posts",
            argument("roomId", "roomId"),
        ),
        ("table: 'limits'", "limits", Address::Root),
        (
            "table: 'rooms', where: async (ctx) => ({ name: (await ctx.db.query('people').first()).name })",
            "rooms",
            Address::Root,
        ),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }, where: (ctx, { roomId }) => ({ roomId })",
            "posts",
            argument("roomId", "roomId"),
        ),
        // What lives with whatever touches it is where its condition looks.
        (
            "table: 'limits', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ key: (await db.posts.findFirst()).body })",
            "limits",
            argument("roomId", "roomId"),
        ),
        (
            "table: 'limits', where: async ({ db }) => ({ key: (await db.rooms.findFirst()).name })",
            "limits",
            Address::Root,
        ),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }, columns: ['body'], where: async (ctx, args) => ({ _id: (await ctx.db.get('votes', args.vote)).postId })",
            "posts",
            argument("roomId", "roomId"),
        ),
    ] {
        let found = shape(&format!("export const one = shape({{ {options} }});"));
        assert_eq!(
            (found.name.as_str(), found.table.as_str(), &found.address),
            ("one", table, &address),
            "{options}"
        );
        assert_eq!(found.file, "lunora/shapes.ts");
    }
}

#[test]
fn every_way_to_write_a_shape() {
    for text in [
        "import { defineShape } from 'lunorash/server';\nexport const one = defineShape({ table: 'rooms' });",
        "import { defineShape as d } from '@lunora/server';\nconst one = d({ table: 'rooms' });\nexport { one };",
        "import * as server from './_generated/server.js';\nexport const one = server.shape({ table: 'rooms' });",
        "import * as server from 'lunorash/server';\nexport const one = server.defineShape({ table: 'rooms' });",
        "const table = 'rooms';\nexport const one = shape({ table, where(ctx) { return {}; } } as const);",
        "import { shapesOf } from 'lunorash/server';\nconst s = shapesOf<DataModel>();\nexport const one = s({ table: 'rooms' });",
        "import * as server from 'lunorash/server';\nconst s = server.shapesOf<DataModel>();\nexport const one = s({ table: 'rooms' });",
        "import { rls } from 'lunorash/server';\nimport { policies } from './lib/policies';\nexport const one = shape({ table: 'rooms', use: [rls(policies)] });",
    ] {
        let linked = app(&[
            ("lunora/shapes.ts", &format!("{HEADER}{text}")),
            (
                "lunora/lib/policies.ts",
                "import { definePolicy } from '../_generated/server.js';\nexport const policies = [definePolicy({ table: 'rooms', on: 'read', when: () => true })];",
            ),
        ]);
        linked.assert_sound();
        assert_eq!(linked.application.shapes.len(), 1, "{text}");
        assert_eq!(linked.application.shapes[0].name, "one");
    }
}

#[test]
fn arguments_are_read() {
    let found =
        shape("export const one = shape({ table: 'rooms', args: { a: v.string(), b: v.optional(v.number()) } });");
    assert_eq!(found.input.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert!(found.input["b"].is_optional());
}

#[test]
fn functions_may_stand_beside_shapes() {
    let linked = shapes(
        "export const one = shape({ table: 'rooms' });\nexport const count = query.query(({ ctx }) => ctx.db.rooms.count());",
    );
    linked.assert_sound();
    assert_eq!(linked.application.shapes[0].name, "one");
    assert_eq!(linked.function("shapes:count").address, Address::Root);
}

#[test]
fn a_shape_that_names_no_shard_is_refused() {
    let linked = shapes("export const one = shape({ table: 'posts' });");
    fails(&linked, "SHARD_NOT_IN_INPUT", "'posts'");
    assert!(linked.rendered().contains("Add `roomId: v.id(\"rooms\")` to `args`."));
    // An id carries its shard, and yet a shape is where an argument of its own says.
    let linked = shapes("export const one = shape({ table: 'posts', args: { post: v.id('posts') } });");
    fails(&linked, "SHARD_NOT_IN_INPUT", "'posts'");
    assert!(linked.rendered().contains("the id `post`"));
    fails(
        &shapes("export const one = shape({ table: 'posts', args: { roomId: v.optional(v.id('rooms')) } });"),
        "SHARD_ARGUMENT_OPTIONAL",
        "roomId",
    );
    fails(
        &shapes("export const one = shape({ table: 'posts', args: { roomId: v.number() } });"),
        "SHARD_ARGUMENT_TYPE",
        "roomId",
    );
}

#[test]
fn a_shape_over_d1_is_polled_by_the_root() {
    for options in [
        "table: 'settings'",
        "table: 'settings', where: async ({ db }) => ({ key: (await db.rooms.findFirst()).name })",
        "table: 'settings', where: async ({ db }) => ({ key: (await db.limits.findFirst()).key })",
    ] {
        let found = shape(&format!("export const one = shape({{ {options} }});"));
        let (address, refresh) = (found.address, found.refresh);
        assert_eq!((address, refresh), (Address::Root, ShapeRefresh::Poll), "{options}");
    }
    let found = shape("export const one = shape({ table: 'rooms' });");
    assert_eq!(found.refresh, ShapeRefresh::Poke);
}

#[test]
fn a_shape_over_d1_reads_no_shard() {
    let linked = shapes(
        "export const one = shape({ table: 'settings', where: async ({ db }) => ({ key: (await db.query('posts').first()).body }) });",
    );
    fails(&linked, "SHAPE_JOINS_SHARDS", "'posts'");
    let text = linked.rendered();
    assert!(
        text.contains("`settings`, which lives in D1 and is followed by `__root__`"),
        "{text}"
    );
    assert!(
        text.contains("Store what the condition needs of `posts` in rows of `settings`."),
        "{text}"
    );
}

#[test]
fn a_condition_does_not_look_at_d1() {
    for options in [
        "table: 'settings', where: async ({ db }) => ({ key: (await db.query('settings').first()).key })",
        "table: 'rooms', where: async ({ db }) => ({ name: (await db.query('settings').first()).key })",
        "table: 'limits', where: async ({ db }) => ({ key: (await db.query('settings').first()).key })",
        "table: 'posts', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ body: (await db.query('settings').first()).key })",
    ] {
        let linked = shapes(&format!("export const one = shape({{ {options} }});"));
        fails(&linked, "SHAPE_READS_GLOBAL", "'settings'");
    }
}

#[test]
fn there_is_no_join_over_shards() {
    for (options, at) in [
        (
            "table: 'rooms', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ name: (await db.query('posts').first()).body })",
            "'posts'",
        ),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ body: (await db.query('rooms').first()).name })",
            "'rooms'",
        ),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ body: (await db.query('days').first()).text })",
            "'days'",
        ),
        (
            "table: 'limits', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ key: (await db.posts.count()) + (await db.days.count()) })",
            "db.posts.count",
        ),
        (
            "table: 'posts', args: { roomId: v.id('rooms') }, where: async ({ db }) => ({ body: await name(db) })",
            "db.rooms.findFirst",
        ),
    ] {
        let linked = shapes(&format!(
            "const name = async (db) => (await db.rooms.findFirst()).name;\nexport const one = shape({{ {options} }});"
        ));
        fails(&linked, "SHAPE_JOINS_SHARDS", at);
        assert!(
            linked.rendered().contains("Store what the condition needs"),
            "{}",
            linked.rendered()
        );
    }
}

#[test]
fn time_and_chance_are_refused() {
    for (condition, at) in [
        ("() => ({ at: { gt: Date.now() } })", "Date.now()"),
        (
            "() => { const now = new Date(); return { at: { gt: now.getTime() } }; }",
            "new Date()",
        ),
        ("() => ({ name: Date() })", "Date()"),
        ("() => ({ at: Math.random() })", "Math.random()"),
        ("() => ({ name: crypto.randomUUID() })", "crypto.randomUUID()"),
        ("() => ({ at: performance.now() })", "performance.now()"),
        ("(ctx) => ({ at: ctx.now })", "now"),
        ("({ now }) => ({ at: now })", "now"),
        ("({ now: then }) => ({ at: then })", "now"),
        (
            "() => ({ OR: [1, 2].map((n) => ({ at: Date.now() - n })) })",
            "Date.now()",
        ),
        // In helpers, whether they are given anything or not.
        ("() => ({ at: { gt: cutoff() } })", "Date.now() - 1"),
        ("() => ({ at: { gt: times.cutoff() } })", "Date.now() - 1"),
        ("(ctx) => later(ctx)", "now"),
        ("() => ({ OR: [1].map(cutoff) })", "Date.now() - 1"),
    ] {
        let linked = app(&[
            (
                "lunora/shapes.ts",
                &format!(
                    "{HEADER}import {{ cutoff, later }} from './lib/times';\nimport * as times from './lib/times';\nexport const one = shape({{ table: 'rooms', where: {condition} }});"
                ),
            ),
            (
                "lunora/lib/times.ts",
                "export const cutoff = () => Date.now() - 1;\nexport const later = (ctx) => ({ at: ctx.now });",
            ),
        ]);
        let (_, found) = linked.only("SHAPE_NOT_DETERMINISTIC");
        assert_eq!(found, at.trim_end_matches(" - 1"), "{condition}");
        assert!(linked.rendered().contains("as an argument"));
    }
}

#[test]
fn what_does_not_move_is_allowed() {
    for condition in [
        "(ctx, { since }) => ({ at: { gt: new Date(since).getTime() } })",
        "(ctx, { now }) => ({ at: { gt: now } })",
        "(ctx, args) => ({ at: { gt: args.now } })",
        "() => { const Date = { now: () => 1 }; return { at: Date.now() }; }",
        "() => ({ at: Date.UTC(2020, 1) })",
        "() => ({ at: Math.max(1, 2) })",
        "(ctx) => ({ name: ctx.auth.userId })",
    ] {
        shape(&format!(
            "export const one = shape({{ table: 'rooms', args: {{ since: v.number(), now: v.number() }}, where: {condition} }});"
        ));
    }
    // A function may look at the time; only a condition may not.
    mutators("export const one = mutator({ apply: (ctx) => ctx.db.insert('rooms', { name: String(Date.now()) }) });")
        .assert_sound();
}

#[test]
fn what_is_wrong_with_a_shape_on_its_own() {
    for (text, code, at) in [
        (
            "export const one = shape({ table: 'room' });",
            "UNKNOWN_TABLE",
            "'room'",
        ),
        ("export const one = shape({ table: name() });", "NOT_STATIC", "name"),
        ("export const one = shape({ table: 1 });", "BAD_ARGUMENT", "1"),
        ("export const one = shape({});", "BAD_ARGUMENT", "shape"),
        ("export const one = shape();", "BAD_ARGUMENT", "shape"),
        (
            "const options = { table: 'rooms' };\nexport const one = shape(options);",
            "NOT_STATIC",
            "options",
        ),
        (
            "export const one = shape({ ...base, table: 'rooms' });",
            "NOT_STATIC",
            "base",
        ),
        (
            "export const one = shape({ table: 'rooms', when: 1 });",
            "UNKNOWN_OPTION",
            "when",
        ),
        (
            "export const one = shape({ table: 'rooms', columns: ['nam'] });",
            "UNKNOWN_FIELD",
            "'nam'",
        ),
        (
            "export const one = shape({ table: 'rooms', args: { a: v.id('nowhere') } });",
            "UNKNOWN_TABLE",
            "'nowhere'",
        ),
        (
            "export const one = shape({ table: 'rooms', args: { a: 1 } });",
            "BAD_ARGUMENT",
            "1",
        ),
        (
            "export const one = shape({ table: 'rooms', use: [async ({ next }) => next()] });",
            "BAD_ARGUMENT",
            "use",
        ),
        (
            "import { how } from 'elsewhere';\nexport const one = shape({ table: 'rooms', where: (ctx) => how(ctx.db) });",
            "ADDRESS_UNDECIDABLE",
            "ctx.db",
        ),
        (
            "export const one = shape({ table: 'rooms', where: (ctx, args) => ctx.db.query(args.t).first() });",
            "TABLE_NOT_STATIC",
            "args.t",
        ),
        (
            "export default shape({ table: 'rooms' });",
            "DEFAULT_EXPORT_FUNCTION",
            "export default shape({ table: 'rooms' });",
        ),
    ] {
        fails(&shapes(text), code, at);
    }
}

#[test]
fn a_write_in_a_condition_is_refused() {
    fails(
        &shapes(
            "export const one = shape({ table: 'rooms', where: async (ctx) => { await ctx.db.insert('rooms', {}); return {}; } });",
        ),
        "WRITE_IN_QUERY",
        "'rooms'",
    );
}

#[test]
fn declarations_have_one_home() {
    let linked = app(&[(
        "lunora/rooms.ts",
        &format!("{HEADER}export const one = shape({{ table: 'rooms' }});"),
    )]);
    fails(&linked, "DECLARATION_MISPLACED", "one");
    assert!(linked.rendered().contains("`lunora/shapes.ts`"));
    let text = format!("{HEADER}export const one = mutator({{ apply: () => 1 }});");
    let linked = app(&[("lunora/rooms.ts", &text)]);
    fails(&linked, "DECLARATION_MISPLACED", "one");
    assert!(linked.rendered().contains("`lunora/mutators.ts`"));
    // Exported again by another file, it is no other one.
    let linked = app(&[
        ("lunora/mutators.ts", &text),
        ("lunora/all.ts", "export * from './mutators';"),
        ("lunora/some.ts", "export { one as two } from './mutators';"),
    ]);
    linked.assert_sound();
    let paths: Vec<&str> = linked
        .application
        .functions
        .iter()
        .map(|function| function.path.as_str())
        .collect();
    assert_eq!(paths, ["mutators:one"]);
}

#[test]
fn places_that_are_taken_are_refused() {
    let list = format!("{HEADER}export const list = query.query(() => 1);");
    let one = format!("{HEADER}export const one = shape({{ table: 'rooms' }});");
    fails(
        &app(&[("lunora/shapes.ts", &one), ("lunora/shapes/one.ts", &list)]),
        "PATH_CONFLICT",
        "one",
    );
    let twins = app(&[("lunora/shapes.ts", &one), ("lunora/shapes.tsx", &one)]);
    assert_eq!(twins.codes(), ["DUPLICATE_FUNCTION"]);
    app(&[("lunora/shapes.ts", &one), ("lunora/shapes/other.ts", &list)]).assert_sound();
}

#[test]
fn mutators_are_mutations() {
    let linked = mutators(
        "export const one = mutator({ args: { name: v.string() }, apply: (ctx, args) => ctx.db.insert('rooms', args) });",
    );
    linked.assert_sound();
    let function = linked.function("mutators:one");
    assert_eq!(
        (function.kind, function.visibility, &function.address),
        (FunctionKind::Mutation, Visibility::Public, &Address::Root)
    );
    assert_eq!(function.input.keys().collect::<Vec<_>>(), ["name"]);
    assert_eq!(function.tables, ["rooms"]);
}

#[test]
fn a_mutator_runs_where_its_server_half_writes() {
    let carried = Address::Id {
        argument: "post".to_owned(),
        table: "posts".to_owned(),
        field: "roomId".to_owned(),
    };
    for (options, address) in [
        (
            "args: { roomId: v.id('rooms') }, apply: (ctx, args) => ctx.db.insert('posts', args)",
            argument("roomId", "roomId"),
        ),
        (
            "args: { post: v.id('posts') }, apply: (ctx, { post }) => ctx.db.patch('posts', post, {})",
            carried.clone(),
        ),
        (
            "args: { post: v.id('posts') }, apply() {}, async server(ctx, args) { await ctx.db.delete(args.post); }",
            carried,
        ),
        // What the client shows decides nothing when the server does something else.
        (
            "apply: (ctx) => ctx.db.insert('posts', {}), server: (ctx) => ctx.db.insert('rooms', {})",
            Address::Root,
        ),
        (
            "args: { roomId: v.id('rooms') }, apply: () => {}, server: write",
            argument("roomId", "roomId"),
        ),
        (
            "args: { roomId: v.id('rooms') }, apply: () => {}, use: guards, server: () => {}",
            argument("roomId", "roomId"),
        ),
    ] {
        let linked = mutators(&format!(
            "const write = (ctx, args) => ctx.db.insert('votes', args);\n\
             const guards = [async ({{ ctx, next }}) => {{ await ctx.db.query('posts').first(); return next(); }}];\n\
             export const one = mutator({{ {options} }});"
        ));
        linked.assert_sound();
        assert_eq!(linked.address("mutators:one"), &address, "{options}");
    }
}

#[test]
fn what_is_wrong_with_a_mutator() {
    for (options, code, at) in [
        ("server: () => 1", "BAD_ARGUMENT", "mutator"),
        (
            "apply: (ctx) => ctx.db.insert('posts', {})",
            "SHARD_NOT_IN_INPUT",
            "'posts'",
        ),
        (
            "apply: (ctx) => ctx.db.insert('rooms', {}), server: async (ctx) => { await ctx.db.insert('rooms', {}); await ctx.db.insert('days', {}); }",
            "CROSS_SHARD",
            "'rooms'",
        ),
        (
            "apply: (ctx) => ctx.db.insert('room', {}), server: () => 1",
            "UNKNOWN_TABLE",
            "'room'",
        ),
        (
            "apply: (ctx) => ctx.db.query('room').first()",
            "UNKNOWN_TABLE",
            "'room'",
        ),
        ("apply: elsewhere", "ADDRESS_UNDECIDABLE", "elsewhere"),
        ("...base, apply: () => 1", "NOT_STATIC", "base"),
        ("apply: () => 1, when: 1", "UNKNOWN_OPTION", "when"),
    ] {
        let linked = mutators(&format!("export const one = mutator({{ {options} }});"));
        fails(&linked, code, at);
        // Neither can state an address.
        assert!(!linked.rendered().contains(".shard("), "{}", linked.rendered());
    }
    let linked = mutators("export const one = mutator({ apply: (ctx) => ctx.db.insert('posts', {}) });");
    assert!(linked.rendered().contains("to `args`."), "{}", linked.rendered());
}

#[test]
fn a_mutation_may_run_a_mutator() {
    let linked = app(&[
        (
            "lunora/mutators.ts",
            &format!(
                "{HEADER}export const one = mutator({{ args: {{ roomId: v.id('rooms') }}, apply: (ctx, args) => ctx.db.insert('posts', args) }});"
            ),
        ),
        (
            "lunora/f.ts",
            &format!(
                "{HEADER}import {{ api }} from './_generated/api.js';\nexport const f = mutation.input({{ roomId: v.id('rooms') }}).mutation(({{ ctx, args }}) => ctx.runMutation(api.mutators.one, args));"
            ),
        ),
    ]);
    linked.assert_sound();
    assert_eq!(linked.address("f:f"), &argument("roomId", "roomId"));
}

#[test]
fn a_broken_schema_is_told_once() {
    let linked = link(&[
        (
            "lunora/schema.ts",
            "import { defineSchema, defineTable, v } from 'lunorash/server';\nexport const schema = defineSchema({ rooms: defineTable({ name: v.strin() }) });",
        ),
        (
            "lunora/shapes.ts",
            &format!("{HEADER}export const one = shape({{ table: 'posts' }});"),
        ),
    ]);
    assert_eq!(linked.codes(), ["UNKNOWN_VALIDATOR"]);
}
