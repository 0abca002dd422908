import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";
import { Random } from "../../testing/random.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({
  notes: defineTable({ text: v.string() }).index("by_text", ["text"], { unique: true }),
});

/** What handlers wait for outside: resolved in a turn of the event loop of its own. */
const outside = (): Promise<void> => new Promise((resolve) => setImmediate(() => resolve()));
/** What another function can let go on, within a turn. */
let gate = Promise.withResolvers<void>();

const read = async (ctx: Loose): Promise<string[]> =>
  (await ctx.db.query("notes").collect()).map((row: Loose) => row.text);

const handlers: Record<string, Loose> = {
  add: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  list: query.query(async ({ ctx }: Loose) => read(ctx)),
  /** Does what the steps say: writes of all kinds, waiting in between. */
  steps: mutation.input({ steps: v.array(v.string()) }).mutation(async ({ ctx, args }: Loose) => {
    for (const step of args.steps) {
      const [kind, text] = step.split(" ");
      const row = (await ctx.db.query("notes").collect()).find((one: Loose) => one.text === text);
      if (kind === "wait") await outside();
      else if (kind === "microtasks") for (let turn = 0; turn < 1_000; turn += 1) await undefined;
      else if (kind === "fail") throw new Error("as told");
      else if (kind === "flip" && row !== undefined) await ctx.db.delete("notes", row._id);
      else if (kind === "flip") await ctx.db.insert("notes", { text });
      else if (kind === "touch" && row !== undefined) await ctx.db.patch("notes", row._id, { text: `${text}'` });
    }
    return read(ctx);
  }),
  held: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", args);
    await gate.promise;
    await ctx.db.insert("notes", { text: `${args.text} after` });
    return read(ctx);
  }),
  heldThenFails: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("notes", args);
    await gate.promise;
    for (let count = 0; count < 10; count += 1) await ctx.db.insert("notes", { text: `${args.text} ${count}` });
    throw new Error("as told");
  }),
  /** The mutation goes on, and writes, between these reads of one turn. */
  release: query.query(async ({ ctx }: Loose) => {
    const seen = new Set([JSON.stringify(await read(ctx))]);
    gate.resolve();
    for (let count = 0; count < 200; count += 1) seen.add(JSON.stringify(await read(ctx)));
    return [...seen];
  }),
};
const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `n:${exportName}`,
    { kind, visibility, address: { kind: "root" }, module: async () => handlers, exportName } as const,
  ]),
);
const definition: LunoraDefinition = { schema, functions, app: {} };

let shard: MemoryShard;

beforeEach(async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  gate = Promise.withResolvers<void>();
  shard = new MemoryShard(definition, { mutationDeadline: 200 });
  vi.spyOn(shard.host, "now").mockImplementation(() => Date.now());
  await shard.open();
});

afterEach(() => {
  vi.restoreAllMocks();
  shard.sqlite.close();
});

const result = async (path: string, args: object = {}): Promise<Loose> => {
  const { body } = await shard.call(`n:${path}`, args);
  return body.error === undefined ? body.result : body.error.code;
};
/** What is on disk: as a crash in this moment, between two turns, would leave it. */
const stored = (): Loose[] =>
  shard.sqlite
    .exec("SELECT doc FROM notes ORDER BY _creationTime")
    .toArray()
    .map((row: Loose) => JSON.parse(row.doc).text);

test("what a group has written is nowhere while it waits, and whole when it ends", async () => {
  await result("add", { text: "first" });
  const together = Promise.all([
    result("add", { text: "before" }),
    result("steps", { steps: ["flip mine", "flip first", "wait", "flip more", "wait"] }),
    result("add", { text: "behind" }),
  ]);
  const seen = new Set<string>();
  const ended = together.then(() => true);
  while (!(await Promise.race([ended, outside()]))) seen.add(JSON.stringify(stored()));
  expect((await together)[1]).toEqual(["before", "mine", "more"]);
  expect([...seen]).toEqual(['["first"]']);
  expect(stored()).toEqual(["before", "mine", "more", "behind"]);
});

test("queries are answered while a mutation waits, and see nothing of it", async () => {
  await result("add", { text: "first" });
  const waiting = result("held", { text: "open" });
  await shard.settle();
  expect(await result("list")).toEqual(["first"]);
  gate.resolve();
  expect(await waiting).toEqual(["first", "open", "open after"]);
  expect(await result("list")).toEqual(["first", "open", "open after"]);
});

test("not even one that lets the mutation go on, in the same turn", async () => {
  await result("add", { text: "first" });
  const waiting = result("heldThenFails", { text: "open" });
  await shard.settle();
  expect(await result("release")).toEqual(['["first"]']);
  expect(await waiting).toBe("INTERNAL");
  expect(stored()).toEqual(["first"]);
});

test("one that hangs after another waited is rolled back in time, and the others stay", async () => {
  const answers = await Promise.all([
    result("add", { text: "one" }),
    result("steps", { steps: ["flip two", "wait"] }),
    result("held", { text: "hangs" }),
    result("steps", { steps: ["wait", "flip three"] }),
    result("held", { text: "hangs as well" }),
    result("add", { text: "four" }),
  ]);
  expect([answers[2], answers[4]]).toEqual(["MUTATION_TIMEOUT", "MUTATION_TIMEOUT"]);
  expect(stored()).toEqual(["one", "two", "three", "four"]);
});

test("what cannot be taken away or brought back loses the group, and no half of it stays", async () => {
  await result("add", { text: "first" });
  await shard.settle();
  for (const broken of ["DELETE FROM", "INSERT INTO"]) {
    let hasWaited = false;
    const exec = shard.sqlite.exec.bind(shard.sqlite);
    const waiting = Promise.all([
      result("steps", { steps: ["fail alone"] }),
      result("steps", { steps: ["flip one", "flip two", "wait", "flip three"] }),
      result("add", { text: "four" }),
    ]);
    vi.spyOn(shard.sqlite, "exec").mockImplementation((statement, ...bindings) => {
      const isTwo = bindings.includes('{"text":"two"}') || statement.startsWith('DELETE FROM "notes"');
      if (isTwo && statement.startsWith(broken) && (broken === "DELETE FROM" || hasWaited))
        throw new Error("disk I/O error: SQLITE_IOERR");
      if (isTwo) hasWaited = true;
      return exec(statement, ...bindings);
    });
    expect(await waiting).toEqual(["INTERNAL", "SHARD_ERROR", "SHARD_ERROR"]);
    vi.mocked(shard.sqlite.exec).mockRestore();
    await shard.settle();
    expect(stored()).toEqual(["first"]);
  }
  expect(await result("add", { text: "after" })).toEqual(expect.any(String));
});

test("random steps with and without waits in between come to the same", async () => {
  const random = new Random(inject("seed"));
  const pauses = ["wait", "microtasks"];
  const plain = await new MemoryShard(definition).open();
  for (let round = 0; round < 60; round += 1) {
    const members = Array.from({ length: random.below(4) + 1 }, () =>
      Array.from({ length: random.below(6) + 1 }, () => {
        const kind = random.pick(["flip", "flip", "touch", "fail"]);
        return `${kind} ${random.pick(["a", "b", "c", "d", "a'"])}`;
      }),
    );
    const paused = members.map((steps) => steps.flatMap((step) => [random.pick(pauses), step, random.pick(pauses)]));
    const run = (on: MemoryShard, list: readonly string[][]): Promise<Loose[]> =>
      Promise.all(list.map(async (steps) => (await on.call("n:steps", { steps })).body));
    const [expected, found] = [await run(plain, members), await run(shard, paused)];
    expect(found).toEqual(expected);
    const log = (on: MemoryShard): Loose =>
      on.sqlite.exec("SELECT seq, op, doc, before FROM __cdc_log ORDER BY seq").toArray();
    expect(log(shard)).toEqual(log(plain));
  }
  plain.sqlite.close();
});
