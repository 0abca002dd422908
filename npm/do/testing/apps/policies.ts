// An app whose schema says `.rls("required")`: policies of every kind, and functions without any.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import {
  defineApp,
  definePermission,
  definePolicies,
  definePolicy,
  defineRole,
  defineSchema,
  defineTable,
  initLunora,
  rls,
  v,
} from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import { asGlobal } from "../all-global.ts";
import type { Loose } from "../loose.ts";
import { doStep } from "../steps.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  teams: defineTable({ name: v.string() }).relations((r) => ({ documents: r.many("documents", { field: "teamId" }) })),
  members: defineTable({ user: v.string(), teamId: v.id("teams") }).index("by_user", ["user"]),
  documents: defineTable({
    teamId: v.id("teams"),
    owner: v.string(),
    title: v.string(),
    code: v.optional(v.string()),
    locked: v.optional(v.boolean()),
    deletedAt: v.optional(v.number()),
  })
    .index("by_team", ["teamId"])
    .index("by_code", ["code"], { unique: true })
    .softDelete()
    .relations((r) => ({
      team: r.one("teams", { field: "teamId", onDelete: "cascade" }),
      comments: r.many("comments", { field: "documentId" }),
    })),
  comments: defineTable({ documentId: v.id("documents"), author: v.string(), body: v.string() })
    .relations((r) => ({ document: r.one("documents", { field: "documentId", onDelete: "cascade" }) }))
    .triggers((t: Loose) => ({
      noted: t.afterInsert(async ({ ctx, document }: Loose) => ctx.db.insert("audit", { text: document.body })),
    })),
  /** No policy at all. */
  audit: defineTable({ text: v.string() }),
  notices: defineTable({ text: v.string() }).public(),
}).rls("required");

const moderate = definePermission("moderate");
const roles = [defineRole("moderator", { permissions: [moderate] }), defineRole("guest", { permissions: [] })];

/** Ids of the teams that the caller is in. */
const teamsOf = async ({ auth, ctx }: Loose): Promise<string[]> => {
  const rows = await ctx.db
    .query("members")
    .withIndex("by_user", (range: Loose) => range.eq("user", auth.userId ?? ""))
    .collect();
  return rows.map((row: Loose) => row.teamId);
};

const everything = (table: string, on: Loose): Loose => definePolicy({ table, on, when: () => true });
const OPERATIONS = ["read", "insert", "update", "delete"];

const policies = definePolicies([
  ...OPERATIONS.map((on) => everything("teams", on)),
  ...OPERATIONS.map((on) => everything("members", on)),
  definePolicy({
    table: "documents",
    on: "read",
    when: async (options: Loose) => ({ teamId: { in: await teamsOf(options) } }),
  }),
  definePolicy({ table: "documents", on: "insert", when: ({ auth, row }: Loose) => row.owner === auth.userId }),
  definePolicy({ table: "documents", on: "update", when: ({ auth }: Loose) => ({ owner: auth.userId }) }),
  definePolicy({ table: "documents", on: "update", when: () => ({ NOT: { locked: true } }) }),
  definePolicy({
    table: "documents",
    on: "delete",
    when: async ({ auth, row, ctx }: Loose) =>
      auth.can(moderate) || (row.owner === auth.userId && (await ctx.db.teams.count()) > 0),
  }),
  definePolicy({ table: "comments", on: "read", when: ({ auth }: Loose) => auth.userId !== null }),
  definePolicy({ table: "comments", on: "insert", when: ({ auth }: Loose) => ({ author: auth.userId ?? "" }) }),
]);

const unlocked = rls([definePolicy({ table: "documents", on: "read", when: () => ({ NOT: { locked: true } }) })]);
const bare = (when: Loose): Loose => rls([definePolicy({ table: "documents", on: "read", when })]);
const system = rls(
  ["teams", "members", "documents", "comments", "audit"].flatMap((table) =>
    OPERATIONS.map((on) => everything(table, on)),
  ),
);

const steps = { steps: v.array(v.any()) };

async function run({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) {
    if (step.caught !== true) {
      results.push(await doStep(ctx.db, step, results));
      continue;
    }
    try {
      results.push({ result: await doStep(ctx.db, step, results) });
    } catch (error: Loose) {
      results.push({ caught: error.code });
    }
  }
  return results;
}

const bareRead = { path: "policies:bareRead", kind: "query", address: { kind: "root" } };

const handlers = {
  read: query.input(steps).use(rls(policies, { roles })).query(run),
  readUnlocked: query.input(steps).use(rls(policies, { roles })).use(unlocked).query(run),
  write: mutation.input(steps).use(rls(policies, { roles })).mutation(run),
  system: mutation.input(steps).use(system).mutation(run),
  bareRead: query.input(steps).query(run),
  bareWrite: mutation.input(steps).mutation(run),
  callsBare: query
    .input(steps)
    .use(rls(policies, { roles }))
    .query(async ({ ctx, args }: Loose) => ctx.runQuery(bareRead, args)),
  answersNothing: query
    .input(steps)
    .use(bare(() => {}))
    .query(run),
  answersHole: query
    .input(steps)
    .use(bare(({ auth }: Loose) => ({ OR: [{ owner: auth.identity?.missing }] })))
    .query(run),
  answersText: query
    .input(steps)
    .use(bare(() => "all"))
    .query(run),
  answersNone: query
    .input(steps)
    .use(bare(() => false))
    .query(run),
  throws: query
    .input(steps)
    .use(
      bare(() => {
        throw new Error("a secret of the policy");
      }),
    )
    .query(run),
  writesInPolicy: mutation
    .input(steps)
    .use(system)
    .use(bare(async ({ ctx }: Loose) => (await ctx.db.insert("notices", { text: "by a policy" })) !== null))
    .mutation(run),
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `policies:${exportName}`,
    { kind, visibility, address: { kind: "root" }, module, exportName },
  ]),
);

const app = defineApp({
  resolveIdentity: ({ token }) => {
    if (token === undefined) return null;
    const [userId = "", ...own] = token.split("+");
    return { userId, roles: own };
  },
});

const definition: LunoraDefinition = asGlobal({ schema, functions, app });

export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default createWorker(definition);
