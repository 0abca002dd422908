// The app whose rows are moved, and what the bench alone asks of it: rows made by SQLite itself, and a bare dump of them.
import { admin, createShardObject, createShardRegistryObject } from "@lunora/do";
import { adminRoutes, createWorker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";

// oxlint-disable-next-line typescript/no-explicit-any -- what the generated types would say, the bench does not need
type Loose = any;

const { query } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  items: defineTable({ shard: v.string(), text: v.string(), value: v.number() }).shardBy("shard"),
});

const handlers = {
  count: query
    .input({ shard: v.string() })
    .query(async ({ ctx }: Loose) => (await ctx.db.query("items").take(1)).length),
};

const functions = {
  "bench:count": {
    kind: "query",
    visibility: "public",
    address: { kind: "argument", argument: "shard", field: "shard" },
    module: async () => handlers,
    exportName: "count",
  },
} as const;

const definition = { schema, functions, app: defineApp({ authorizeShard: () => true }), admin };

const Shard = createShardObject(definition) as unknown as new (context: Loose, env: Loose) => Loose;

export class ShardDO extends Shard {
  /** Rows as they would be after as many inserts. */
  async seed(shard: string, from: number, count: number): Promise<void> {
    const ending = btoa(shard).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    this["ctx"].storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${from + count - 1})
        INSERT INTO items(id, _creationTime, doc)
        SELECT printf('%021dA.%s', i, ?), i, json_object('shard', ?, 'text', 'a message of some length ' || i, 'value', i) FROM n`,
      ending,
      shard,
    );
  }

  /** The same lines without anything of ours: one cursor over the table. */
  async bareDump(): Promise<string> {
    let text = "";
    for (const [line] of this["ctx"].storage.sql
      .exec(
        `SELECT json_object('table', 'items', 'doc', json_patch(doc, json_object('_id', id, '_creationTime', _creationTime))) FROM items ORDER BY id`,
      )
      .raw())
      text += `${line}\n`;
    return text;
  }
}

export class ShardRegistryDO extends (createShardRegistryObject(definition) as unknown as new (
  context: Loose,
  env: Loose,
) => Loose) {}

const worker = createWorker(definition, { routes: adminRoutes() });
let environment: Loose;

const names = (shards: number): string[] => Array.from({ length: shards }, (_, index) => `shard ${index}`);
const stubOf = (env: Loose, shard: string): Loose => env.SHARD.getByName(`shard=${encodeURIComponent(shard)}`);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname } = new URL(request.url);
    environment ??= { ...env, LUNORA_ADMIN_TOKEN: "a-token-of-the-bench" };
    if (!pathname.startsWith("/bench/")) return worker.fetch(request, environment, context);
    const { rows, shards } = (await request.json()) as { rows: number; shards: number };
    if (pathname === "/bench/seed") {
      const registry = env.SHARD_REGISTRY.getByName("__lunora_shard_registry__");
      const each = rows / shards;
      for (const [index, shard] of names(shards).entries()) {
        const body = JSON.stringify({ functionPath: "bench:count", args: { shard } });
        const headers = { "content-type": "application/json" };
        // The object makes its tables when it is opened.
        await worker.fetch(
          new Request("http://bench/_lunora/rpc", { method: "POST", headers, body }),
          environment,
          context,
        );
        await stubOf(env, shard).seed(shard, index * each, each);
        await registry.register(`shard=${encodeURIComponent(shard)}`);
      }
      return Response.json(rows);
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const dump = async (): Promise<void> => {
      const writer = writable.getWriter();
      const encoder = new TextEncoder();
      for (const shard of names(shards)) await writer.write(encoder.encode(await stubOf(env, shard).bareDump()));
      await writer.close();
    };
    context.waitUntil(dump());
    return new Response(readable);
  },
};
