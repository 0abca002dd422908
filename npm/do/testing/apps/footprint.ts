// A shard without an engine around it: random reads and writes, and whether footprints told which
// writes can change which reads. All of it runs inside the object.
import { DurableObject } from "cloudflare:workers";
import { encodeValue } from "@lunora/protocol";
import { definePolicy, defineSchema, defineTable, RESTRICT, rls, v } from "@lunora/server";
import type { RestrictableDatabase } from "@lunora/server";

import { Commit } from "../../src/engine/commit.ts";
import { databaseFactory } from "../../src/engine/database.ts";
import { Footprint } from "../../src/engine/footprint.ts";
import { Schema } from "../../src/engine/schema.ts";
import { Session } from "../../src/engine/session.ts";
import { scopeOf } from "../../src/engine/shard-scope.ts";
import { applySchema, createInternalTables } from "../../src/engine/storage-layout.ts";
import type { SqlStorage } from "../../src/engine/sql.ts";
import { FIELD_POOLS, randomQuery } from "../random-query.ts";
import type { RandomQuery } from "../random-query.ts";
import { Random } from "../random.ts";
import { randomRow } from "../row-oracle.ts";
import type { Loose } from "../loose.ts";

const schema = new Schema(
  defineSchema({
    values: defineTable({
      text: v.optional(v.string()),
      number: v.optional(v.number()),
      flag: v.optional(v.boolean()),
      big: v.optional(v.bigint()),
      bin: v.optional(v.bytes()),
      mixed: v.optional(v.union(v.string(), v.number(), v.bigint(), v.boolean(), v.bytes())),
      nothing: v.optional(v.string().nullable()),
      code: v.optional(v.string()),
      parentId: v.optional(v.id("values")),
      deletedAt: v.optional(v.number()),
    })
      .index("by_text", ["text"])
      .index("by_number", ["number"])
      .index("by_flag", ["flag"])
      .index("by_big", ["big"])
      .index("by_bin", ["bin"])
      .index("by_mixed", ["mixed"])
      .index("by_text_number", ["text", "number"])
      .index("by_code", ["code"], { unique: true })
      .softDelete()
      .relations((r) => ({
        parent: r.one("values", { field: "parentId", onDelete: "set null" }),
        children: r.many("values", { field: "parentId" }),
      })),
    members: defineTable({ user: v.string(), text: v.string() }).index("by_user", ["user"]),
  }),
);

const scope = scopeOf("__root__");
const createDatabase = databaseFactory(schema);

/** Rows whose text is one of those that the user is a member of. */
const policies = [
  definePolicy({
    table: "values",
    on: "read",
    when: async ({ auth, ctx }: Loose) => {
      const memberships = await ctx.db
        .query("members")
        .withIndex("by_user", (range: Loose) => range.eq("user", auth.userId))
        .collect();
      return { OR: [{ flag: true }, { text: { in: memberships.map((row: Loose) => row.text) } }] };
    },
  }),
];

interface Watched {
  readonly name: string;
  readonly userId: string | null;
  readonly query: RandomQuery;
  footprint: Footprint;
  result: string;
}

interface Report {
  /** Reads that a write changed although the footprint said it could not. */
  readonly missed: string[];
  readonly changed: number;
  readonly touched: number;
  readonly spared: number;
}

export class FootprintDO extends DurableObject {
  #storage: SqlStorage;
  #time = 0;

  constructor(context: Loose, env: Loose) {
    super(context, env);
    this.#storage = context.storage.sql;
    context.storage.transactionSync(() => {
      createInternalTables(this.#storage);
      applySchema(this.#storage, schema, scope);
    });
  }

  #session(userId: string | null, parts: { commit?: Commit; footprint?: Footprint } = {}): Session {
    return new Session({
      host: { storage: this.#storage, schema, scope },
      auth: { userId, identity: userId === null ? null : { userId } },
      now: 1_000,
      nextCreationTime: () => (this.#time += 1),
      ...parts,
    });
  }

  async #run(query: RandomQuery, userId: string | null, footprint: Footprint): Promise<string> {
    const db = createDatabase(this.#session(userId, { footprint })) as Loose;
    const restricted = userId === null ? db : (db as RestrictableDatabase)[RESTRICT](rls(policies).rules);
    try {
      return JSON.stringify(encodeValue(await query(restricted))) ?? "";
    } catch (error: Loose) {
      // Two rows where one is asked for: as good a result as any.
      if (error.code !== "NOT_UNIQUE") throw error;
      return "NOT_UNIQUE";
    }
  }

  async #write(random: Random, ids: string[]): Promise<Commit> {
    const commit = new Commit(this.#storage);
    const db = createDatabase(this.#session(null, { commit })) as Loose;
    const count = random.chance(0.7) ? 1 : random.below(4) + 1;
    for (let index = 0; index < count; index += 1) {
      try {
        await this.#step(random, db, ids);
      } catch (error: Loose) {
        if (error.code !== "NOT_UNIQUE" && error.code !== "NOT_FOUND") throw error;
      }
    }
    return commit;
  }

  async #step(random: Random, db: Loose, ids: string[]): Promise<void> {
    const kind = random.below(20);
    const row = randomRow(random) as Loose;
    if (random.chance(0.3)) row.code = random.pick(FIELD_POOLS["code"] as readonly unknown[]);
    if (ids.length > 0 && random.chance(0.4)) row.parentId = random.pick(ids);
    if (ids.length === 0 || kind < 4) {
      ids.push(await db.values.insert(row));
    } else if (kind < 14) {
      const fields = Object.keys(row);
      const field = fields.length === 0 ? "text" : random.pick(fields);
      await db.values.patch(random.pick(ids), { [field]: row[field] ?? null });
    } else if (kind < 15) {
      await db.values.replace(random.pick(ids), row);
    } else if (kind < 17) {
      await db.values.delete(random.pick(ids));
    } else if (kind < 18) {
      const [id] = ids.splice(random.below(ids.length), 1);
      await db.values.hardDelete(id);
    } else {
      const [first] = await db.members.findMany();
      if (first !== undefined && random.chance(0.5)) await db.members.delete(first._id);
      else
        await db.members.insert({
          user: random.pick(["ann", "ben"]),
          text: random.pick(FIELD_POOLS["text"] as readonly string[]),
        });
    }
  }

  async run(seed: number, rounds: number): Promise<Report> {
    const random = new Random(seed);
    const ids: string[] = [];
    const missed: string[] = [];
    let changed = 0;
    let touched = 0;
    let spared = 0;
    for (let index = 0; index < 40; index += 1) await this.#write(random, ids);
    for (let round = 0; round < rounds; round += 1) {
      const watched: Watched[] = [];
      for (let index = 0; index < 25; index += 1) {
        const query = await randomQuery(random, createDatabase(this.#session(null)), ids);
        const userId = random.pick([null, null, "ann", "ben"]);
        const footprint = new Footprint();
        const result = await this.#run(query, userId, footprint);
        watched.push({ name: `round ${round} query ${index} ${userId}`, userId, query, footprint, result });
      }
      for (let index = 0; index < 12; index += 1) {
        const { changes } = await this.#write(random, ids);
        for (const item of watched) {
          const isTouched = item.footprint.touches(changes);
          const footprint = new Footprint();
          const result = await this.#run(item.query, item.userId, footprint);
          if (result !== item.result) changed += 1;
          if (isTouched) touched += 1;
          else if (result === item.result) spared += 1;
          else missed.push(`${item.name} write ${index}: ${item.result} -> ${result}`);
          // The footprint of a read that no write touched has to stay good.
          if (isTouched) Object.assign(item, { footprint, result });
        }
      }
    }
    return { missed, changed, touched, spared };
  }
}

export default {
  async fetch(request: Request, env: Loose): Promise<Response> {
    const { seed, rounds } = (await request.json()) as { seed: number; rounds: number };
    return Response.json(await env.FOOTPRINT.getByName(`${seed}`).run(seed, rounds));
  },
};
