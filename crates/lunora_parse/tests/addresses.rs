//! Every row of the table that decides a function's address, and every error it can end in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_ir::{Address, FanOutMerge};
use support::{Linked, link};

const SCHEMA: &str = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.id("rooms"), body: v.string() }).shardBy("roomId"),
  votes: defineTable({ roomId: v.id("rooms"), postId: v.id("posts") }).shardBy("roomId"),
  days: defineTable({ day: v.number(), text: v.string() }).shardBy("day"),
  limits: defineTable({ key: v.string() }).colocated(),
  settings: defineTable({ key: v.string() }).global(),
});
"#;

fn functions(text: &str) -> Linked {
    let header = "import { action, internalMutation, mutation, query, v } from \"./_generated/server\";\n";
    link(&[
        ("lunora/schema.ts", SCHEMA),
        ("lunora/f.ts", &format!("{header}{text}")),
    ])
}

/// The address of `f:f`, for an app in which nothing is wrong.
fn address(text: &str) -> Address {
    let linked = functions(text);
    linked.assert_sound();
    linked.address("f:f").clone()
}

fn argument(argument: &str, field: &str) -> Address {
    Address::Argument {
        argument: argument.to_owned(),
        field: field.to_owned(),
    }
}

fn id(argument: &str, table: &str, field: &str) -> Address {
    Address::Id {
        argument: argument.to_owned(),
        table: table.to_owned(),
        field: field.to_owned(),
    }
}

/// The only error of a text: its code and the text it points at.
#[track_caller]
fn fails(text: &str, code: &str, at: &str) {
    let linked = functions(text);
    let (_, found) = linked.only(code);
    assert_eq!(found, at, "{}", linked.rendered());
}

#[test]
fn only_root_or_global_tables() {
    for body in [
        "ctx.db.query('rooms').collect()",
        "ctx.db.query('settings').collect()",
        "ctx.db.rooms.findMany()",
        "[ctx.db.query('rooms').first(), ctx.db.settings.count()]",
        "1",
        "ctx.db.query('limits').first()",
    ] {
        assert_eq!(
            address(&format!("export const f = query.query(async ({{ ctx }}) => {body});")),
            Address::Root,
            "{body}"
        );
    }
    assert_eq!(
        address("export const f = mutation.mutation(({ ctx }) => ctx.db.insert('settings', {}));"),
        Address::Root
    );
}

#[test]
fn the_field_in_the_input() {
    for body in [
        "ctx.db.query('posts').collect()",
        "ctx.db.posts.findMany({ where: { body: 'x' } })",
        "[ctx.db.query('posts').first(), ctx.db.query('votes').first(), ctx.db.query('limits').first()]",
        "[ctx.db.query('posts').first(), ctx.db.query('settings').first()]",
        "ctx.db.get('posts', args.roomId)",
    ] {
        let text = format!(
            "export const f = query.input({{ roomId: v.id('rooms') }}).query(async ({{ ctx, args }}) => {body});"
        );
        assert_eq!(address(&text), argument("roomId", "roomId"), "{body}");
    }
    assert_eq!(
        address(
            "export const f = mutation.input({ day: v.number() }).mutation(async ({ ctx, args }) => ctx.db.insert('days', args));"
        ),
        argument("day", "day")
    );
}

#[test]
fn an_id_that_carries_the_shard() {
    for body in [
        "ctx.db.patch(args.id, { body: '' })",
        "ctx.db.delete(args.id)",
        "ctx.db.posts.patch(args.id, {})",
        "ctx.db.replace('posts', args.id, {})",
        "ctx.db.insert('votes', { postId: args.id })",
    ] {
        let text = format!(
            "export const f = mutation.input({{ id: v.id('posts') }}).mutation(async ({{ ctx, args }}) => {body});"
        );
        assert_eq!(address(&text), id("id", "posts", "roomId"), "{body}");
    }
    // The field itself wins over an id.
    assert_eq!(
        address(
            "export const f = mutation.input({ id: v.id('posts'), roomId: v.id('rooms') }).mutation(async ({ ctx, args }) => ctx.db.delete(args.id));"
        ),
        argument("roomId", "roomId")
    );
    // Arrays and nested objects of ids name the table, but only a plain argument names the shard.
    let text = "export const f = mutation.input({ first: v.id('posts'), ids: v.array(v.id('posts')), o: v.object({ id: v.id('posts') }) })
      .mutation(async ({ ctx, args }) => { for (const id of args.ids) await ctx.db.delete(id); await Promise.all(args.ids.map((id) => ctx.db.get(id))); await ctx.db.delete(args.o.id); });";
    assert_eq!(address(text), id("first", "posts", "roomId"));
}

#[test]
fn neither_in_a_query_fans_out() {
    assert_eq!(
        address("export const f = query.query(async ({ ctx }) => ctx.db.query('posts').collect());"),
        Address::FanOut {
            field: "roomId".to_owned(),
            merge: FanOutMerge::Concat {
                by: None,
                direction: None
            }
        }
    );
    for (merge, expected) in [
        ("{ kind: 'sum' }", FanOutMerge::Sum),
        ("{ kind: 'min' }", FanOutMerge::Min),
        ("{ kind: 'max' }", FanOutMerge::Max),
        ("{ kind: 'first' }", FanOutMerge::First),
        (
            "{ kind: 'groupBy', by: 'a', value: 'b', operation: 'count' }",
            FanOutMerge::GroupBy {
                by: "a".to_owned(),
                value: "b".to_owned(),
                operation: "count".to_owned(),
            },
        ),
    ] {
        let text = format!(
            "export const f = query.fanOut({merge}).query(async ({{ ctx }}) => ctx.db.query('posts').collect());"
        );
        assert_eq!(
            address(&text),
            Address::FanOut {
                field: "roomId".to_owned(),
                merge: expected
            }
        );
    }
}

#[test]
fn fan_out_options_are_checked() {
    let with = |merge: &str| {
        format!("export const f = query.fanOut({merge}).query(async ({{ ctx }}) => ctx.db.query('posts').collect());")
    };
    fails(&with("{ kind: 'topk' }"), "BAD_ARGUMENT", "'topk'");
    fails(&with("{ kind: 'topK', by: 'a', k: 0 }"), "BAD_ARGUMENT", "0");
    fails(&with("{ kind: 'sum', by: 'a' }"), "UNKNOWN_OPTION", "by");
    let linked = functions(
        "export const f = query.fanOut({ kind: 'sum' }).query(async ({ ctx }) => ctx.db.query('rooms').collect());",
    );
    linked.only("FAN_OUT_UNUSED");
    assert_eq!(linked.address("f:f"), &Address::Root);
}

#[test]
fn neither_in_a_mutation_is_an_error() {
    fails(
        "export const f = mutation.input({ body: v.string() }).mutation(async ({ ctx, args }) => ctx.db.insert('posts', args));",
        "SHARD_NOT_IN_INPUT",
        "'posts'",
    );
    fails(
        "export const f = internalMutation.input({ id: v.optional(v.id('posts')) }).mutation(async ({ ctx, args }) => ctx.db.insert('posts', args));",
        "SHARD_NOT_IN_INPUT",
        "'posts'",
    );
}

#[test]
fn two_places_at_once_are_an_error() {
    let both = |second: &str, kind: &str| {
        format!(
            "export const f = {kind}.input({{ roomId: v.id('rooms'), day: v.number() }}).{kind}(async ({{ ctx }}) => {{ await ctx.db.query('posts').first(); await ctx.db.query('{second}').first(); }});"
        )
    };
    for kind in ["query", "mutation"] {
        fails(&both("days", kind), "CROSS_SHARD", "'posts'");
        fails(&both("rooms", kind), "CROSS_SHARD", "'rooms'");
    }
}

#[test]
fn a_shard_and_d1_cannot_both_be_written() {
    let text = |first: &str| {
        format!(
            "export const f = mutation.input({{ roomId: v.id('rooms') }}).mutation(async ({{ ctx, args }}) => {{ await ctx.db.insert('{first}', args); await ctx.db.insert('settings', {{}}); }});"
        )
    };
    for table in ["posts", "rooms", "limits"] {
        fails(&text(table), "MIXED_WRITES", "'settings'");
    }
    // Reading one and writing the other is fine.
    let text = "export const f = mutation.input({ roomId: v.id('rooms') }).mutation(async ({ ctx, args }) => { await ctx.db.query('settings').first(); await ctx.db.insert('posts', args); });";
    assert_eq!(address(text), argument("roomId", "roomId"));
}

#[test]
fn a_stated_address() {
    let hidden = "import { save } from 'somewhere';\n";
    let with =
        |chain: &str| format!("{hidden}export const f = mutation.{chain}.mutation(async ({{ ctx }}) => save(ctx));");
    assert_eq!(address(&with("shard('__root__')")), Address::Root);
    assert_eq!(
        address(&with("input({ roomId: v.id('rooms') }).shard('roomId')")),
        argument("roomId", "roomId")
    );
    assert_eq!(
        address(&with("input({ id: v.id('posts') }).shard('id')")),
        id("id", "posts", "roomId")
    );
    fails(
        &with("input({ x: v.id('rooms') }).shard('x')"),
        "SHARD_FIELD_AMBIGUOUS",
        "'x'",
    );
    fails(
        &with("input({ x: v.id('rooms') }).shard('y')"),
        "UNKNOWN_ARGUMENT",
        "'y'",
    );
    fails(
        &with("input({ roomId: v.optional(v.id('rooms')) }).shard('roomId')"),
        "SHARD_ARGUMENT_OPTIONAL",
        "roomId",
    );
    // With the tables visible, the argument may have another name than the field.
    let text = "export const f = mutation.input({ room: v.id('rooms') }).shard('room').mutation(async ({ ctx }) => ctx.db.insert('posts', {}));";
    assert_eq!(address(text), argument("room", "roomId"));
}

#[test]
fn the_argument_must_be_like_the_field() {
    let with = |table: &str, input: &str| {
        format!(
            "export const f = query.input({{ {input} }}).query(async ({{ ctx }}) => ctx.db.query('{table}').first());"
        )
    };
    fails(
        &with("posts", "roomId: v.optional(v.id('rooms'))"),
        "SHARD_ARGUMENT_OPTIONAL",
        "roomId",
    );
    fails(
        &with("posts", "roomId: v.id('rooms').nullable()"),
        "SHARD_ARGUMENT_OPTIONAL",
        "roomId",
    );
    fails(&with("posts", "roomId: v.number()"), "SHARD_ARGUMENT_TYPE", "roomId");
    fails(&with("posts", "roomId: v.id('posts')"), "SHARD_ARGUMENT_TYPE", "roomId");
    fails(
        &with("posts", "roomId: v.array(v.id('rooms'))"),
        "SHARD_ARGUMENT_TYPE",
        "roomId",
    );
    fails(&with("days", "day: v.string()"), "SHARD_ARGUMENT_TYPE", "day");
    assert_eq!(
        address(&with("posts", "roomId: v.string()")),
        argument("roomId", "roomId")
    );
    assert_eq!(
        address(&with("days", "day: v.union(v.literal(1), v.literal(2))")),
        argument("day", "day")
    );
}

#[test]
fn actions() {
    assert_eq!(
        address("export const f = action.action(async ({ ctx, args }) => { await fetch('x'); });"),
        Address::Worker
    );
    assert_eq!(
        address("import { go } from 'somewhere'; export const f = action.action(async ({ ctx }) => go(ctx));"),
        Address::Worker
    );
    fails(
        "export const f = action.action(async ({ ctx }) => ctx.db.query('rooms').first());",
        "DB_IN_ACTION",
        "'rooms'",
    );
    fails(
        "export const f = action.action(async ({ ctx, args }) => ctx.db.get(args.id));",
        "DB_IN_ACTION",
        "ctx.db.get",
    );
    fails(
        "export const f = action.shard('__root__').action(async () => 1);",
        "ACTION_HAS_NO_SHARD",
        "'__root__'",
    );
}

#[test]
fn what_cannot_be_seen() {
    for (body, at) in [
        ("somewhere(ctx)", "ctx"),
        ("somewhere(ctx.db)", "ctx.db"),
        ("somewhere({ deep: { ctx } })", "{ deep: { ctx } }"),
        ("new Somewhere(ctx)", "ctx"),
        ("(globalThis.saved = ctx)", "ctx"),
        ("[ctx]", "ctx"),
        ("ctx", "ctx"),
        ("ctx.db.wipeShard({})", "ctx.db.wipeShard"),
        ("ctx.runQuery(args.which, {})", "args.which"),
    ] {
        fails(
            &format!("export const f = query.query(async ({{ ctx, args }}) => {body});"),
            "ADDRESS_UNDECIDABLE",
            at,
        );
    }
    for (body, at) in [
        ("ctx.db.query(args.table).first()", "args.table"),
        ("ctx.db.query(`a${args.x}`).first()", "`a${args.x}`"),
        ("ctx.db[args.table].count()", "ctx.db[args.table].count"),
    ] {
        fails(
            &format!("export const f = query.query(async ({{ ctx, args }}) => {body});"),
            "TABLE_NOT_STATIC",
            at,
        );
    }
    fails(
        "export const f = mutation.mutation(async ({ ctx, args }) => ctx.db.delete(args.id));",
        "ADDRESS_UNDECIDABLE",
        "ctx.db.delete",
    );
}

#[test]
fn values_are_followed_through_the_function() {
    for body in [
        "{ const { db } = ctx; return db.query('posts').first(); }",
        "{ const database = ctx.db; return database.query('posts').first(); }",
        "{ const { posts } = ctx.db; return posts.findFirst(); }",
        "{ let db; db = ctx.db; return db.query('posts').first(); }",
        "{ const load = (db) => db.query('posts').first(); return load(ctx.db); }",
        "{ function load(db) { return db.query('posts').first(); } return load(ctx.db); }",
        "{ return [1].map(() => ctx.db.query('posts').first()); }",
        "{ const name = args.flag ? 'posts' : 'votes'; return ctx.db.query(name).first(); }",
        "{ return (ctx as any).db!.query('posts' as const).first(); }",
        "{ return ctx?.db?.query('posts'); }",
        "{ return ctx['db'].query('posts'); }",
        "{ const key = 'posts'; return ctx.db[key].count(); }",
        "{ if (args.x) { for (const x of [1]) { try { await ctx.db.query('posts').first(); } catch {} } } }",
        "{ const helpers = { load: async () => ctx.db.query('posts').first() }; return helpers.load(); }",
        "{ return (async () => ctx.db.query('posts').first())(); }",
    ] {
        let text = format!(
            "export const f = query.input({{ roomId: v.id('rooms') }}).query(async ({{ ctx, args }}) => {body});"
        );
        assert_eq!(address(&text), argument("roomId", "roomId"), "{body}");
    }
    for parameter in ["({ ctx: { db }, args })", "({ args, ...rest })", "(handler)"] {
        let db = match parameter {
            "({ args, ...rest })" => "rest.ctx.db",
            "(handler)" => "handler.ctx.db",
            _ => "db",
        };
        let text = format!(
            "export const f = query.input({{ roomId: v.id('rooms') }}).query(async {parameter} => {db}.query('posts').first());"
        );
        assert_eq!(address(&text), argument("roomId", "roomId"), "{parameter}");
    }
}

#[test]
fn constants_name_tables_across_files() {
    let linked = link(&[
        ("lunora/schema.ts", SCHEMA),
        ("lunora/names.ts", "export const NAMES = { posts: 'posts' } as const; export const PREFIX = 'po';"),
        (
            "lunora/f.ts",
            "import { query, v } from './_generated/server'; import { NAMES, PREFIX } from './names.js';
             const own = `${PREFIX}sts`;
             export const a = query.input({ roomId: v.id('rooms') }).query(({ ctx }) => ctx.db.query(NAMES.posts).first());
             export const b = query.input({ roomId: v.id('rooms') }).query(({ ctx }) => ctx.db.query(own).first());",
        ),
    ]);
    linked.assert_sound();
    assert_eq!(linked.address("f:a"), &argument("roomId", "roomId"));
    assert_eq!(linked.address("f:b"), &argument("roomId", "roomId"));
}

#[test]
fn middleware_counts() {
    let text = "const counted = mutation.use(async ({ ctx, next }) => { await ctx.db.query('days').first(); return next(); });
      export const f = counted.input({ roomId: v.id('rooms') }).mutation(async ({ ctx, args }) => ctx.db.insert('posts', args));";
    let linked = functions(text);
    assert_eq!(linked.codes(), ["CROSS_SHARD"], "{}", linked.rendered());
    let text = "const guard = (role: string) => async ({ ctx, next }) => { await ctx.db.query('votes').first(); return next({ ctx: { ...ctx, role } }); };
      export const f = mutation.use(guard('x')).input({ roomId: v.id('rooms') }).mutation(async ({ ctx, args }) => ctx.db.insert('posts', args));";
    assert_eq!(address(text), argument("roomId", "roomId"));
    let text = "import { rls } from 'lunorash/server';
      export const f = query.use(rls([])).query(async ({ ctx }) => ctx.db.query('rooms').first());";
    assert_eq!(address(text), Address::Root);
}

#[test]
fn helpers_report_at_their_own_place() {
    let linked = link(&[
        ("lunora/schema.ts", SCHEMA),
        (
            "lunora/lib/help.ts",
            "import { send } from 'elsewhere';\nexport const help = (ctx) => send(ctx.db);",
        ),
        (
            "lunora/f.ts",
            "import { query } from './_generated/server';\nimport { help } from './lib/help';\nexport const f = query.query(({ ctx }) => help(ctx));",
        ),
    ]);
    let (diagnostic, text) = linked.only("ADDRESS_UNDECIDABLE");
    assert_eq!(text, "ctx.db");
    assert_eq!(diagnostic.labels[0].file, "lunora/lib/help.ts");
    assert_eq!(diagnostic.labels[1].file, "lunora/f.ts");
    let help = diagnostic.help.as_deref().unwrap();
    assert!(
        help.contains(".shard(\"argName\")") && help.contains("app's folder"),
        "{help}"
    );
}

#[test]
fn triggers_of_a_written_table_count() {
    let schema = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  stats: defineTable({ n: v.number() }),
  posts: defineTable({ roomId: v.string() }).shardBy("roomId").triggers((t) => ({
    count: t.afterInsert(async ({ ctx }) => { await ctx.db.insert("stats", { n: 1 }); }),
  })),
});
"#;
    let linked = link(&[
        ("lunora/schema.ts", schema),
        (
            "lunora/f.ts",
            "import { mutation, query, v } from './_generated/server';
export const read = query.input({ roomId: v.string() }).query(({ ctx }) => ctx.db.query('posts').first());
export const write = mutation.input({ roomId: v.string() }).mutation(({ ctx, args }) => ctx.db.insert('posts', args));",
        ),
    ]);
    assert_eq!(linked.codes(), ["CROSS_SHARD"], "{}", linked.rendered());
    assert_eq!(linked.address("f:read"), &argument("roomId", "roomId"));
}

#[test]
fn triggers_that_cannot_be_seen_are_undecidable_where_they_run() {
    let schema = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
import { audit } from "somewhere";
import { log } from "../shared/log";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.string() }).shardBy("roomId").triggers((t) => ({ audit: t.afterInsert(HANDLER) })),
});
"#;
    for (handler, at) in [
        ("audit", "audit"),
        ("log", "log"),
        ("audit({ table: \"x\" })", "audit({ table: \"x\" })"),
        ("audit.inserts", "audit.inserts"),
    ] {
        let files = [
            ("lunora/schema.ts", schema.replace("HANDLER", handler)),
            (
                "lunora/f.ts",
                "import { mutation, query, v } from './_generated/server';
export const read = query.input({ roomId: v.string() }).query(({ ctx }) => ctx.db.query('posts').first());
export const other = mutation.mutation(({ ctx }) => ctx.db.insert('rooms', { name: '' }));
export const stated = mutation.shard('roomId').input({ roomId: v.string() }).mutation(({ ctx, args }) => ctx.db.insert('posts', args));
export const write = mutation.input({ roomId: v.string() }).mutation(({ ctx, args }) => ctx.db.insert('posts', args));"
                    .to_owned(),
            ),
        ];
        let linked = link(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
        let (diagnostic, text) = linked.only("ADDRESS_UNDECIDABLE");
        assert_eq!(text, at);
        assert!(
            diagnostic.message.contains("`f:write`") && diagnostic.message.contains("a trigger of `posts`"),
            "{}",
            diagnostic.message
        );
        let paths: Vec<_> = linked
            .application
            .functions
            .iter()
            .map(|function| &*function.path)
            .collect();
        assert_eq!(paths, ["f:other", "f:read", "f:stated"], "{handler}");
    }
}

#[test]
fn an_extension_that_cannot_be_read_is_an_error_that_says_what_to_do() {
    for (import, expression) in [
        ("import { presence } from 'presence-for-lunora';", "presence"),
        ("import presence from 'presence-for-lunora';", "presence"),
        ("import * as presence from 'presence-for-lunora';", "presence.tables"),
        (
            "import { presence } from 'presence-for-lunora';",
            "presence({ room: true })",
        ),
        ("import { presence } from '../shared/presence';", "presence"),
        ("import { presence } from '@lunora/presence';", "presence"),
        ("import { presence } from '@lunora/presence';", "presence()"),
        ("import { presence } from './presence';", "presence"),
    ] {
        let schema = format!(
            "import {{ defineSchema, defineTable, v }} from 'lunorash/server'; {import}
             export const schema = defineSchema({{ rooms: defineTable({{ name: v.string() }}) }}).extend({expression});"
        );
        let linked = link(&[
            ("lunora/schema.ts", schema.as_str()),
            ("lunora/presence.ts", "export { presence } from 'presence-for-lunora';"),
            (
                "lunora/f.ts",
                "import { query } from './_generated/server'; export const f = query.query(({ ctx }) => ctx.db.query('presence_here').first());",
            ),
        ]);
        let (diagnostic, text) = linked.only("NOT_STATIC");
        assert!(expression.starts_with(&text), "{text}");
        let help = diagnostic.help.as_deref().unwrap();
        assert!(help.contains("defineSchemaExtension"), "{expression}: {help}");
    }
}

#[test]
fn parameters_in_every_form_are_followed_or_undecidable() {
    let app = |helper: &str, call: &str| {
        functions(&format!(
            "{helper}\nexport const f = query.input({{ roomId: v.id('rooms') }}).query(async ({{ ctx }}) => {{ {call} }});"
        ))
    };
    for helper in [
        "function load(this: void, db) { return db.query('posts').first(); }",
        "const load = function (this: void, db) { return db.query('posts').first(); };",
        "const load = (db, ...rest) => db.query('posts').first();",
    ] {
        for call in [
            "return load(ctx.db, 1, 2);",
            "const run = (inner) => load(inner); return run(ctx.db);",
        ] {
            let linked = app(helper, call);
            linked.assert_sound();
            assert_eq!(linked.address("f:f"), &argument("roomId", "roomId"), "{helper} {call}");
        }
        let linked = app("", &format!("{} return load(ctx.db);", helper.replace("export ", "")));
        assert_eq!(
            linked.assert_sound().address("f:f"),
            &argument("roomId", "roomId"),
            "{helper}"
        );
    }
    for helper in [
        "function load(...all) { return all[0].query('posts').first(); }",
        "const load = (first, ...all) => all[0].query('posts').first();",
        "function load() { return arguments[0].query('posts').first(); }",
    ] {
        for linked in [
            app(helper, "return load(ctx.db, ctx.db, ctx.db);"),
            app("", &format!("{helper} return load(ctx.db, ctx.db, ctx.db);")),
        ] {
            let codes = linked.codes();
            assert!(
                !codes.is_empty() && codes.iter().all(|code| *code == "ADDRESS_UNDECIDABLE"),
                "{helper}\n{}",
                linked.rendered()
            );
        }
        assert_eq!(
            app(helper, "return load(1, 2);").assert_sound().address("f:f"),
            &Address::Root
        );
    }
}
