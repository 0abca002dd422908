import { defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { Loose } from "../../testing/loose.ts";
import { MemoryShard } from "../../testing/memory-shard.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();
const schema = defineSchema({
  notes: defineTable({ text: v.string() }),
  sessions: defineTable({ endsAt: v.number() }).ttl("endsAt", { after: 0 }),
});
const handlers: Record<string, Loose> = {
  add: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  open: mutation.mutation(async ({ ctx }: Loose) => ctx.db.insert("sessions", { endsAt: 1 })),
  list: query.query(async ({ ctx }: Loose) => (await ctx.db.query("notes").collect()).map((row: Loose) => row.text)),
  sessions: query.query(async ({ ctx }: Loose) => ctx.db.sessions.count()),
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
  shard = await new MemoryShard(definition).open();
});

afterEach(() => {
  vi.restoreAllMocks();
  shard.sqlite.close();
});

const push = (clientSeq: number, text: string): object => ({
  type: "push",
  id: `push ${text}`,
  clientId: "c",
  entries: [{ clientSeq, functionPath: "n:add", args: { text } }],
});
const logged = (): Loose => shard.sqlite.exec("SELECT count(*) AS n, max(seq) AS head FROM __cdc_log").toArray()[0];

/** The last that a group writes. */
const LAST_OF_GROUP = /^INSERT INTO (?:__client_watermark|__idempotency)/;

/** What `run` writes fails at its end, when everything else has been written. */
async function failing(run: () => Promise<void> | void, last: RegExp = LAST_OF_GROUP): Promise<void> {
  const exec = shard.sqlite.exec.bind(shard.sqlite);
  vi.spyOn(shard.sqlite, "exec").mockImplementation((statement, ...bindings) => {
    if (last.test(statement)) throw new Error("disk I/O error: SQLITE_IOERR");
    return exec(statement, ...bindings);
  });
  await run();
  await shard.settle();
  vi.mocked(shard.sqlite.exec).mockRestore();
}

describe("a group that cannot be written", () => {
  test("leaves positions, watermark and views where they were, and a push may come again", async () => {
    const client = shard.connect("c");
    client.send({ type: "subscribe", id: "s", query: { functionPath: "n:list", args: {} } });
    client.send(push(1, "one"));
    await shard.settle();
    const before = client.frames.length;
    await failing(() => client.send(push(2, "two")));
    expect(client.frames.slice(before)).toEqual([
      {
        type: "ack",
        id: "push two",
        results: [{ clientSeq: 2, error: expect.objectContaining({ code: "SHARD_ERROR" }) }],
        lastMutationId: 1,
      },
    ]);
    client.send(push(2, "two"));
    await shard.settle();
    expect(client.frames.slice(before + 1)).toMatchObject([
      { type: "data", id: "s", data: ["one", "two"], cursor: 2, lastMutationId: 2 },
      { type: "ack", results: [{ clientSeq: 2 }], lastMutationId: 2 },
    ]);
    expect(logged()).toEqual({ n: 2, head: 2 });
    expect(shard.connect("c").frames).toMatchObject([{ cursor: 2, lastMutationId: 2 }]);
  });

  test("keeps no result for a call that comes again", async () => {
    const call = (): Promise<Loose> =>
      shard.engine.call({
        object: "__root__",
        functionPath: "n:add",
        args: { text: "once" },
        identity: null,
        mutationId: "once",
      });
    await failing(async () => expect((await call()).status).toBe(503));
    const { commitCursor } = (await call()).body;
    expect(commitCursor).toBe(1);
    expect((await shard.call("n:list")).body.result).toEqual(["once"]);
  });

  test("is gone from the alarm's work as well", async () => {
    await shard.call("n:open");
    await shard.settle();
    await failing(async () => void (await shard.engine.ring().catch(() => {})), /^COMMIT/);
    expect(logged()).toEqual({ n: 1, head: 1 });
    const { commitCursor } = (await shard.call("n:add", { text: "after" })).body;
    expect(commitCursor).toBe(2);
  });
});

test("what the alarm removes is logged, and told to whoever reads it", async () => {
  const client = shard.connect("c");
  await shard.call("n:open");
  client.send({ type: "subscribe", id: "s", query: { functionPath: "n:sessions", args: {} } });
  await shard.settle();
  await shard.engine.ring();
  expect(client.frames.filter(({ id }) => id === "s")).toMatchObject([
    { data: 1, cursor: 1 },
    { data: 0, cursor: 2 },
  ]);
  expect(shard.sqlite.exec("SELECT op FROM __cdc_log ORDER BY seq").toArray()).toEqual([
    { op: "insert" },
    { op: "delete" },
  ]);
});
