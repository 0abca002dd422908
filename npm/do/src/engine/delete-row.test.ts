import { defineSchema, defineTable, initLunora, rls, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";

const { mutation } = initLunora.dataModel<Loose>().create();
const own = rls([
  { table: "notes", on: "read", when: ({ auth }: Loose) => ({ owner: auth.userId }) },
  ...(["read", "delete"] as const).map((on): Loose => ({ table: "folders", on, when: () => true })),
]);
const remove = ({ ctx, args }: Loose): Promise<void> => ctx.db.folders.delete(args.id);
const handlers: Record<string, Loose> = {
  add: mutation.input({ owner: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    const folder = await ctx.db.folders.insert({ name: "f" });
    return [folder, await ctx.db.notes.insert({ folder, owner: args.owner })];
  }),
  remove: mutation.input({ id: v.string() }).use(own).mutation(remove),
  removeFreely: mutation.input({ id: v.string() }).mutation(remove),
};
const definition: LunoraDefinition = {
  schema: defineSchema({
    folders: defineTable({ name: v.string() }),
    notes: defineTable({ folder: v.id("folders"), owner: v.string() }).relations((r: Loose) => ({
      parent: r.one("folders", { field: "folder", onDelete: "restrict" }),
    })),
  }),
  functions: Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      `f:${exportName}`,
      { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
    ]),
  ),
  app: {},
};

let shard: MemoryShard;

beforeEach(async () => {
  shard = await new MemoryShard(definition).open();
});

afterEach(() => shard.sqlite.close());

test.each([
  ["who may read it", "f:remove", "ann", true],
  ["anybody, where no policy is asked", "f:removeFreely", "ben", true],
  ["nobody else", "f:remove", "ben", false],
])("a row that restricts a delete is named to %s", async (_, functionPath, userId, isNamed) => {
  const [folder, note] = (await shard.call("f:add", { owner: "ann" })).body.result;
  const answer = await shard.engine.call({
    object: "__root__",
    functionPath,
    args: { id: folder },
    identity: { userId },
  });
  const data = { table: "notes", field: "folder", ...(isNamed ? { id: note } : {}) };
  expect(answer).toMatchObject({ ok: false, status: 409, body: { error: { code: "RELATION_RESTRICTED", data } } });
  expect(JSON.stringify(answer).includes(note)).toBe(isNamed);
});
