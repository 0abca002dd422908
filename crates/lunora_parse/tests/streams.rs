//! Streams: queries in all but how they answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use lunora_ir::{Address, FunctionKind, Visibility};
use support::{Linked, link};

const SCHEMA: &str = r#"
import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  rooms: defineTable({ name: v.string() }),
  posts: defineTable({ roomId: v.id("rooms"), body: v.string() }).shardBy("roomId"),
});
"#;

fn app(text: &str) -> Linked {
    let header = "import { query, internalQuery, mutation, v } from \"./_generated/server.js\";\n";
    link(&[
        ("lunora/schema.ts", SCHEMA),
        ("lunora/answers.ts", &format!("{header}{text}")),
    ])
}

#[test]
fn a_stream_is_addressed_as_a_query_is() {
    let linked = app(r#"
        export const all = query.stream(async function* ({ ctx }) {
          for (const room of await ctx.db.query("rooms").collect()) yield room.name;
        });
        export const ofRoom = query
          .input({ roomId: v.id("rooms") })
          .stream(async function* ({ ctx, signal }) {
            while (!signal.aborted) yield* await ctx.db.query("posts").collect();
          }, { durable: true });
        async function* words({ args }) { yield args.text; }
        export const named = internalQuery.input({ text: v.string() }).stream(words, { durable: { ttlMs: 5 } });
        "#);
    linked.assert_sound();
    let root = linked.function("answers:all");
    assert_eq!(root.kind, FunctionKind::Stream);
    assert_eq!(
        (&root.address, &root.tables[..]),
        (&Address::Root, &["rooms".to_owned()][..])
    );
    assert_eq!(
        linked.address("answers:ofRoom"),
        &Address::Argument {
            argument: "roomId".to_owned(),
            field: "roomId".to_owned()
        }
    );
    let named = linked.function("answers:named");
    assert_eq!(
        (named.kind, named.visibility, &named.address),
        (FunctionKind::Stream, Visibility::Internal, &Address::Root)
    );
}

#[test]
fn it_may_look_at_the_clock_and_the_world() {
    app("export const clock = query.stream(async function* ({ ctx }) { yield Date.now() + Math.random(); yield await ctx.fetch(\"https://example.com\"); });").assert_sound();
}

#[test]
fn it_is_from_one_shard() {
    let linked = app(
        "export const all = query.stream(async function* ({ ctx }) { yield* await ctx.db.query(\"posts\").collect(); });",
    );
    let (diagnostic, _) = linked.only("SHARD_NOT_IN_INPUT");
    assert!(
        diagnostic.message.contains("streams from `posts`"),
        "{}",
        diagnostic.message
    );
    let linked =
        app("export const all = query.fanOut({ kind: \"concat\" }).stream(async function* ({ ctx }) { yield 1; });");
    assert_eq!(linked.only("FAN_OUT_STREAM").1, "{ kind: \"concat\" }");
}

#[test]
fn it_does_not_write() {
    let linked = app(
        "export const bad = query.stream(async function* ({ ctx }) { yield await ctx.db.insert(\"rooms\", { name: \"x\" }); });",
    );
    let (diagnostic, _) = linked.only("WRITE_IN_QUERY");
    assert!(
        diagnostic.message.contains("is a stream and writes"),
        "{}",
        diagnostic.message
    );
}

#[test]
fn it_begins_with_a_query_and_has_a_generator() {
    let linked = app("export const bad = mutation.stream(async function* () { yield 1; });");
    assert_eq!(linked.only("UNKNOWN_MODIFIER").1, "stream");
    let linked = app("export const bad = query.stream();");
    assert_eq!(linked.codes(), ["BAD_ARGUMENT"], "{}", linked.rendered());
}
