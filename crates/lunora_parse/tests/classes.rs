//! Handles that are stored in an object of a class: followed, or an error that names the place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_ir::Address;
use support::{Linked, link};

const SCHEMA: &str = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.string(), body: v.string() }).shardBy("roomId"),
});
"#;

fn app(class: &str, body: &str) -> Linked {
    link(&[
        ("lunora/schema.ts", SCHEMA),
        (
            "lunora/repository.ts",
            &format!("import type {{ MutationCtx }} from \"./_generated/server\";\nexport {class}\n"),
        ),
        (
            "lunora/f.ts",
            &format!(
                "import {{ mutation, v }} from \"./_generated/server\";\nimport {{ Repository }} from \"./repository\";\nimport * as all from \"./repository\";\nexport const f = mutation.input({{ roomId: v.string(), id: v.id(\"posts\") }}).mutation(async ({{ ctx, args }}) => {{ {body} }});\n"
            ),
        ),
    ])
}

fn by_room() -> Address {
    Address::Argument {
        argument: "roomId".to_owned(),
        field: "roomId".to_owned(),
    }
}

/// A class of which `list` touches `posts`, in every way that a handle is kept.
const FOLLOWED: &[&str] = &[
    "class Repository { constructor(private ctx: MutationCtx) {} list(roomId: string) { return this.ctx.db.query('posts').collect(); } }",
    "class Repository { constructor(private readonly ctx: MutationCtx) {} async list(roomId: string) { const { db } = this.ctx; return await db.query('posts').first(); } }",
    "class Repository { private ctx; constructor(ctx: MutationCtx) { this.ctx = ctx; } list() { return this.ctx.db.posts.findMany(); } }",
    "class Repository { #db; constructor({ db }: MutationCtx) { this.#db = db; } list() { return this.#db.query('posts').collect(); } }",
    "class Repository { db = this.ctx.db; constructor(private ctx: MutationCtx) {} list() { return this.db.query('posts').collect(); } }",
    "class Repository { private table = 'posts' as const; constructor(private ctx: MutationCtx) {} list() { return this.ctx.db.query(this.table).collect(); } }",
    "class Repository { constructor(private ctx: MutationCtx) {} list() { return this.all(); } private all() { return this.ctx.db.query('posts').collect(); } }",
    "class Repository { constructor(private ctx: MutationCtx) {} list() { return this.#all(); } #all() { return [1].map(() => this.ctx.db.query('posts').collect()); } }",
    "class Repository { constructor(private ctx: MutationCtx) {} list = () => this.ctx.db.query('posts').collect(); }",
    "class Repository { constructor(private args: { ctx: MutationCtx }) {} list() { return this.args.db.query('posts').collect(); } }",
    "class Repository { posts; constructor(ctx: MutationCtx) { this.posts = ctx.db.posts; } list() { return this.posts.findMany(); } }",
    "class Repository { inner; constructor(ctx: MutationCtx) { this.inner = new Inner(ctx); } list() { return this.inner.rows(); } }\nclass Inner { constructor(private ctx: MutationCtx) {} rows() { return this.ctx.db.query('posts').collect(); } }",
    "class Repository { count = 0; constructor(private ctx: MutationCtx) {} list() { this.count += 1; return this.ctx.db.query('posts').collect(); } }",
    "class Repository { constructor(private ctx: MutationCtx) { rows(this); } list() {} }\nconst rows = (repository: Repository) => { repository.ctx.db.query('posts'); };",
    "class Repository { constructor(ctx: MutationCtx) { ctx.db.query('posts'); } list() {} }",
];

#[test]
fn what_a_class_holds_is_followed() {
    for class in FOLLOWED {
        for body in [
            "await new Repository(ctx).list(args.roomId);",
            "const posts = new Repository(ctx); return posts.list(args.roomId);",
            "const run = async (posts: Repository) => { await posts.list(args.roomId); }; await run(new all.Repository(ctx));",
        ] {
            let linked = app(class, body);
            linked.assert_sound();
            assert_eq!(*linked.address("f:f"), by_room(), "{class}\n{body}");
            assert_eq!(linked.function("f:f").tables, ["posts"], "{class}\n{body}");
        }
    }
}

#[test]
fn methods_that_are_called_like_those_of_arrays_are_followed() {
    for method in ["find", "map", "filter", "some", "forEach"] {
        let class = format!(
            "class Repository {{ constructor(private ctx: MutationCtx) {{}} {method}(id: string) {{ return this.ctx.db.query('posts').collect(); }} }}"
        );
        for body in [
            format!("return new Repository(ctx).{method}(args.roomId);"),
            format!("const run = (posts: Repository) => posts.{method}(args.roomId); return run(new Repository(ctx));"),
        ] {
            let linked = app(&class, &body);
            linked.assert_sound();
            assert_eq!(*linked.address("f:f"), by_room(), "{method}: {body}");
        }
    }
}

#[test]
fn a_table_that_is_handed_to_the_constructor() {
    let class = "class Repository { constructor(private ctx: MutationCtx, private table: string) {} list() { return this.ctx.db.query(this.table).collect(); } }";
    let linked = app(class, "return new Repository(ctx, 'rooms').list();");
    linked.assert_sound();
    assert_eq!(*linked.address("f:f"), Address::Root);
    let linked = app(class, "return new Repository(ctx, 'posts').list();");
    assert_eq!(*linked.address("f:f"), by_room());
    let linked = app(class, "return new Repository(ctx, args.roomId).list();");
    assert_eq!(linked.codes(), ["TABLE_NOT_STATIC"], "{}", linked.rendered());
}

#[test]
fn an_id_that_is_handed_to_the_constructor() {
    let class = "class Repository { constructor(private ctx: MutationCtx, private id: string) {} list() { return this.ctx.db.get(this.id); } }";
    let linked = app(class, "return new Repository(ctx, args.id).list();");
    linked.assert_sound();
    assert_eq!(linked.function("f:f").tables, ["posts"]);
}

#[test]
fn one_of_two_objects() {
    let class = "class Repository { constructor(private ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }\nexport class Rooms { constructor(private ctx: MutationCtx) {} list() { return this.ctx.db.query('rooms').collect(); } }";
    let linked = app(
        class,
        "const some = args.id ? new Repository(ctx) : new all.Rooms(ctx); return some.list();",
    );
    assert_eq!(linked.codes(), ["CROSS_SHARD"], "{}", linked.rendered());
}

#[test]
fn only_methods_that_are_called_count() {
    let class = "class Repository { constructor(private ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } rooms() { return this.ctx.db.query('rooms').collect(); } }";
    let linked = app(class, "return new Repository(ctx).rooms();");
    linked.assert_sound();
    assert_eq!(*linked.address("f:f"), Address::Root);
}

/// What is not followed: the class and what is done with it.
const REFUSED: &[(&str, &str)] = &[
    // Inheritance, decorators, members whose names are not visible.
    (
        "class Repository extends Base { list() { return this.ctx.db.query('posts').collect(); } }\nclass Base { constructor(protected ctx: MutationCtx) {} }",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(private ctx: MutationCtx) {} ['list']() { return this.ctx.db.query('posts').collect(); } }",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(private ctx: MutationCtx) {} @traced list() { return this.ctx.db.query('posts').collect(); } }",
        "new Repository(ctx).list();",
    ),
    // Getters and setters.
    (
        "class Repository { constructor(private ctx: MutationCtx) {} get db() { return this.ctx.db; } list() { return this.db.query('posts').collect(); } }",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(ctx: MutationCtx) { this.ctx = ctx; } set ctx(ctx) { this.kept = ctx; } list() { return this.kept.db.query('posts').collect(); } }",
        "new Repository(ctx).list();",
    ),
    // Handles that come later.
    (
        "class Repository { attach(ctx: MutationCtx) { this.ctx = ctx; } list() { return this.ctx.db.query('posts').collect(); } constructor(private first: MutationCtx) {} }",
        "const posts = new Repository(ctx); posts.attach(ctx); posts.list();",
    ),
    // A name that changes.
    (
        "class Repository { table = 'rooms'; constructor(private ctx: MutationCtx) {} use(table: string) { this.table = table; } list() { return this.ctx.db.query(this.table).collect(); } }",
        "const posts = new Repository(ctx); posts.use('posts'); posts.list();",
    ),
    (
        "class Repository { table = 'rooms'; constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query(this.table).collect(); } }",
        "const posts = new Repository(ctx); posts.table = 'posts'; posts.list();",
    ),
    (
        "class Repository { table = 'rooms'; constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query(this.table).collect(); } }",
        "const posts = new Repository(ctx); [posts.table] = ['posts']; posts.list();",
    ),
    // The object leaves sight.
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }",
        "return new Repository(ctx);",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }",
        "Object.assign(new Repository(ctx), { x: 1 });",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }",
        "const list = new Repository(ctx).list; somebody.calls(list);",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }",
        "new Repository(ctx).list.call(undefined);",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }",
        "const name = args.roomId; new Repository(ctx)[name]();",
    ),
    // A class that holds itself, and one that is handed over.
    (
        "class Repository { again = new Repository(this.ctx); constructor(public ctx: MutationCtx) {} list() { return this.again.again.list(); } }",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return new Repository(this).list(); } }",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } }\nexport const make = (Made: typeof Repository, ctx: MutationCtx) => new Made(ctx).list();",
        "await all.make(all.Repository, ctx);",
    ),
    // What a method is given, and a class that is no declaration.
    (
        "class Repository { constructor(public ctx: MutationCtx) {} list(use: (ctx: MutationCtx) => void) { use(this.ctx); } }",
        "new Repository(ctx).list(somebody.calls);",
    ),
    (
        "class Repository { constructor(...all: [MutationCtx, MutationCtx]) { this.ctx = all[1]; } list() { return this.ctx.db.query('posts').collect(); } }",
        "new Repository(ctx, ctx).list();",
    ),
    (
        "const Repository = class { constructor(public ctx: MutationCtx) {} list() { return this.ctx.db.query('posts').collect(); } };",
        "new Repository(ctx).list();",
    ),
    (
        "class Repository { constructor(public ctx: MutationCtx) {} static of(ctx: MutationCtx) { return new Repository(ctx); } list() { return this.ctx.db.query('posts').collect(); } }",
        "Repository.of(ctx).list();",
    ),
];

#[test]
fn what_is_not_followed_is_undecidable() {
    for (class, body) in REFUSED {
        let linked = app(class, body);
        assert!(
            !linked.diagnostics.is_empty()
                && linked
                    .codes()
                    .iter()
                    .all(|code| ["ADDRESS_UNDECIDABLE", "TABLE_NOT_STATIC"].contains(code)),
            "{class}\n{body}\n{}",
            linked.rendered()
        );
        assert!(linked.application.functions.is_empty(), "{class}\n{body}");
    }
}

#[test]
fn a_local_name_that_changes_is_no_constant() {
    let class = "class Repository {}";
    for body in [
        "let table = args.roomId; if (args.id) table = 'rooms'; ctx.db.query(table);",
        "let table = 'rooms'; table += args.roomId; ctx.db.query(table);",
        "let table = 'rooms'; [table] = [args.roomId]; ctx.db.query(table);",
    ] {
        assert_eq!(app(class, body).codes(), ["TABLE_NOT_STATIC"], "{body}");
    }
    let linked = app(class, "let table; table = 'rooms'; ctx.db.query(table);");
    assert_eq!(*linked.assert_sound().address("f:f"), Address::Root);
}

#[test]
fn plain_objects_may_go_anywhere() {
    let class = "class Repository { constructor(private id: string) {} toString() { return this.id; } }";
    for body in [
        "return new Repository(args.roomId);",
        "const key = (id: string) => { const made = new Repository(id); made.id = 'x'; return made; }; return key(args.roomId);",
        "const made = new Repository(args.roomId); somebody.calls(made, new Date(args.id));",
    ] {
        let linked = app(class, body);
        linked.assert_sound();
        assert_eq!(*linked.address("f:f"), Address::Root, "{body}");
    }
}
