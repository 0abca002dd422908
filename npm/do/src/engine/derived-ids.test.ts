import { deriveId } from "@lunora/protocol";
import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { expect, test } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";

const { mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({
  notes: defineTable({ text: v.string() }).index("by_text", ["text"], { unique: true }),
});
const insertAfterRefusals = mutation.mutation(async ({ ctx }: Loose) => {
  await ctx.db.insert("notes", { text: "first" });
  await ctx.db.insert("notes", { text: 7 }).catch(() => {});
  await ctx.db.insert("notes", { text: "first" }).catch(() => {});
  await ctx.db.notes.insert({ text: "first" }, { skipDuplicates: true });
  return ctx.db.insert("notes", { text: "last" });
});
const definition: LunoraDefinition = {
  schema,
  functions: {
    "n:insert": {
      kind: "mutation",
      visibility: "public",
      address: { kind: "root" },
      module: async () => ({ insertAfterRefusals }),
      exportName: "insertAfterRefusals",
    },
  },
  app: {},
};

test("inserts that were refused or skipped count, whatever they were refused for", async () => {
  const shard = await new MemoryShard(definition).open();
  const client = shard.connect("c");
  const mutationId = "AAECAwQFBgcICQoLDA0ODw";
  const entry = { clientSeq: 1, mutationId, functionPath: "n:insert", args: {} };
  client.send({ type: "push", id: "p", clientId: "c", entries: [entry] });
  await shard.settle();
  expect(client.frames.at(-1).results).toEqual([{ clientSeq: 1, result: deriveId(mutationId, "notes", 4) }]);
  shard.sqlite.close();
});
