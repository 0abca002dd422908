import { defineSchema, defineShape, defineTable, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";
import { shaping } from "./live/shaping.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();
const handlers: Record<string, Loose> = {
  add: mutation.input({ text: v.string() }).mutation(({ ctx, args }: Loose) => ctx.db.notes.insert(args)),
  count: query.query(({ ctx }: Loose) => ctx.db.notes.count()),
};
const late: Record<string, Loose> = { ...handlers, all: defineShape({ table: "notes" }) };

/** The import of the module `late`, and how often it was begun. */
let gate = Promise.withResolvers<Record<string, Loose>>();
let imports = 0;
const lateModule = (): Promise<Record<string, Loose>> => {
  imports += 1;
  return gate.promise;
};
const entries = (path: string, module: () => Promise<Loose>): Loose =>
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `${path}:${exportName}`,
    { kind, visibility, address: { kind: "root" }, module, exportName },
  ]);
const definition: LunoraDefinition = {
  schema: defineSchema({ notes: defineTable({ text: v.string() }) }),
  functions: Object.fromEntries([...entries("late", lateModule), ...entries("prompt", async () => handlers)]),
  shapes: { all: { table: "notes", address: { kind: "root" }, module: lateModule, exportName: "all" } },
  shaping,
  app: {},
};

let shard: MemoryShard;

beforeEach(async () => {
  gate = Promise.withResolvers();
  imports = 0;
  shard = await new MemoryShard(definition, { importDeadline: 30, queryDeadline: 200 }).open();
});

afterEach(() => shard.sqlite.close());

const codeOf = async (path: string, args: object = {}): Promise<string> =>
  (await shard.call(path, args)).body.error?.code ?? "ok";

test("a module that is never imported is waited for once, and others are served", async () => {
  const answers = await Promise.all([codeOf("late:add", { text: "a" }), codeOf("prompt:add", { text: "b" })]);
  expect(answers).toEqual(["MODULE_TIMEOUT", "ok"]);
  expect(imports).toBe(1);
  expect(await codeOf("late:add", { text: "a" })).toBe("MODULE_TIMEOUT");
  expect(imports).toBe(1);
  expect(await shard.call("prompt:count")).toMatchObject({ ok: true, body: { result: 1 } });
});

test("it is imported again once it has come, or failed", async () => {
  expect(await codeOf("late:count")).toBe("MODULE_TIMEOUT");
  gate.resolve(late);
  await shard.settle();
  expect(await codeOf("late:count")).toBe("ok");
  gate = Promise.withResolvers();
  expect(await codeOf("late:add", { text: "a" })).toBe("MODULE_TIMEOUT");
  gate.reject(new Error("it cannot be"));
  await shard.settle();
  gate = Promise.withResolvers();
  gate.resolve(late);
  expect(await codeOf("late:add", { text: "a" })).toBe("ok");
});

test("a push is not decided by it, and comes again under its number", async () => {
  const client = shard.connect("c");
  const push = (): void =>
    client.send({
      type: "push",
      id: "p",
      clientId: "c",
      entries: [{ clientSeq: 1, functionPath: "late:add", args: { text: "a" } }],
    });
  const ack = async (count: number): Promise<Loose> => {
    for (;;) {
      const acks = client.frames.filter(({ id }) => id === "p");
      if (acks.length >= count) return acks[count - 1];
      await shard.settle();
    }
  };
  push();
  expect(await ack(1)).toMatchObject({ results: [{ error: { code: "MODULE_TIMEOUT" } }], lastMutationId: 0 });
  gate.resolve(late);
  await shard.settle();
  push();
  expect(await ack(2)).toMatchObject({ results: [{ clientSeq: 1, result: expect.any(String) }], lastMutationId: 1 });
});

test("a subscription is told so, and can come again", async () => {
  const client = shard.connect("c");
  const frame = async (type: string, id: string): Promise<Loose> => {
    for (;;) {
      const found = client.frames.find((sent) => sent.type === type && (sent.id ?? sent.shapeId) === id);
      if (found !== undefined) return found;
      await shard.settle();
    }
  };
  client.send({ type: "subscribe", id: "q", query: { functionPath: "late:count", args: {} } });
  client.send({ type: "shape_subscribe", id: "s", shape: { name: "all" } });
  expect(await frame("error", "q")).toMatchObject({ error: { code: "MODULE_TIMEOUT" } });
  expect(await frame("error", "s")).toMatchObject({ error: { code: "MODULE_TIMEOUT" } });
  gate.resolve(late);
  await shard.settle();
  // The query stays, and is run again at the next change; the shape has to be asked for again.
  client.send({ type: "shape_subscribe", id: "s", shape: { name: "all" } });
  await shard.call("prompt:add", { text: "a" });
  expect(await frame("data", "q")).toMatchObject({ data: 1 });
  expect(await frame("pokePart", "s")).toMatchObject({ reset: true });
});
