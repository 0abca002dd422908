import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { result } from "../testing/client.ts";
import { inspectApp, refusal, startInspected } from "../testing/inspect-client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import type { TestWorker } from "../testing/workerd.ts";

const ROOT = "__root__";

let worker: TestWorker;

const ask = (operation: string, body: object = {}): Promise<Loose> =>
  inspectApp(worker, operation, { object: ROOT, ...body });
const refused = (operation: string, body: object = {}): Promise<string> =>
  refusal(worker, operation, { object: ROOT, ...body });
const edit = (op: string, table: string, more: object): Promise<Loose> => ask("edit", { op, table, ...more });

beforeAll(async () => {
  worker = await startInspected();
  for (const room of ["red", "grün"]) await result(worker, "app:say", { room, body: "hello" });
});
afterAll(() => worker?.stop());

describe("clients and shapes", () => {
  test("who is connected, to what, and how far each client is", async () => {
    const socket = await SocketClient.connect(worker, { clientId: "phone" }, { token: "ann" });
    socket.send({ type: "subscribe", id: "q", query: { functionPath: "app:mine", args: {} } });
    socket.send({ type: "shape_subscribe", id: "s", shape: { name: "notesFrom", args: { least: 5 } } });
    await socket.next(({ type }) => type === "pokeEnd");
    await socket.push("phone", [{ clientSeq: 1, functionPath: "app:fill", args: { count: 1, from: 500_000 } }]);
    const { head } = (await ask("shard")).log;
    const { sockets, clients, hasMoreSockets, hasMoreClients } = await ask("clients");
    expect([hasMoreSockets, hasMoreClients]).toEqual([false, false]);
    expect(sockets.filter(({ userId }: Loose) => userId === "ann")).toEqual([
      {
        socket: expect.any(String),
        userId: "ann",
        clientId: "phone",
        subscriptions: [
          { id: "q", kind: "query", name: "app:mine", args: {} },
          { id: "s", kind: "shape", name: "notesFrom", args: { least: 5 }, toSeq: expect.any(Number) },
        ],
        subscriptionCount: 2,
      },
    ]);
    expect(clients).toEqual([{ userId: "ann", clientId: "phone", watermark: 1, seenAt: expect.any(Number) }]);
    expect(head).toBeGreaterThan(0);
    expect(await ask("shard")).toMatchObject({ subscriptions: 2 });
    for (const limit of [0, 501, "1"]) expect(await refused("clients", { limit })).toBe("BAD_REQUEST");

    const { shapes, hasMore } = await ask("shapes");
    expect(hasMore).toBe(false);
    expect(shapes.map(({ name }: Loose) => name)).toEqual(["notesFrom", "broken"]);
    expect(shapes[0]).toMatchObject({
      table: "notes",
      columns: ["owner", "n"],
      args: { least: 5 },
      subscribers: 1,
      users: ["ann"],
      sql: expect.stringContaining(`= 'ann'`),
    });
    expect(shapes[0].predicate.map(({ clause, source, holds }: Loose) => [clause, source, holds])).toEqual([
      ["n gte 5", "where", null],
      [`text contains "note" OR n eq 0`, "where", null],
      [`owner eq "ann"`, "policy", null],
      ["deletedAt isNull true", "softDelete", null],
    ]);
    expect(shapes[1].error.code).toBe("SCHEMA_INVALID");
    expect((await ask("shapes", { name: "notesFrom" })).shapes).toHaveLength(1);
    expect((await inspectApp(worker, "shapes", { object: "room=red" })).shapes).toEqual([
      { name: "inRoom", table: "messages", columns: ["room", "body"], subscribers: 0 },
    ]);
    socket.close();
  });

  test("why a row is in a shape, and why not, and what cannot be asked", async () => {
    const { row } = await edit("insert", "notes", { document: { owner: "eve", n: 7, text: "a note" } });
    const why = (more: object): Promise<Loose> =>
      ask("why", {
        shape: "notesFrom",
        args: { least: 7 },
        table: "notes",
        id: row._id,
        identity: { userId: "eve" },
        ...more,
      });
    const verdict = await why({});
    expect(verdict).toMatchObject({ isMember: true, row, sql: expect.stringContaining(`SELECT * FROM "notes" WHERE`) });
    expect(verdict.clauses[0]).toEqual({
      clause: "n gte 7",
      source: "where",
      columns: ["n"],
      operands: [7],
      value: 7,
      holds: true,
    });
    const other = await why({ args: { least: 8 }, identity: { userId: "adam" } });
    expect(other.isMember).toBe(false);
    expect(other.clauses.map(({ clause, holds }: Loose) => [clause, holds])).toEqual([
      ["n gte 8", false],
      [`text contains "note" OR n eq 0`, true],
      [`owner eq "adam"`, false],
      ["deletedAt isNull true", true],
    ]);
    expect(other.clauses[1].parts.map(({ holds }: Loose) => holds)).toEqual([true, false]);
    // Nobody's user id is equal to nothing.
    expect((await why({ identity: null })).clauses[2]).toMatchObject({ clause: "owner in []", holds: false });
    await edit("delete", "notes", { id: row._id });
    expect(await why({})).toMatchObject({
      isMember: false,
      clauses: [{}, {}, {}, { source: "softDelete", holds: false }],
    });
    expect(await why({ id: "nowhere" })).toMatchObject({
      isMember: false,
      row: null,
      clauses: [{ holds: null }, {}, {}, {}],
    });

    const bad: readonly (readonly [object, string])[] = [
      [{ shape: "nothing" }, "SHAPE_NOT_FOUND"],
      [{ shape: "constructor" }, "SHAPE_NOT_FOUND"],
      [{ shape: 5 }, "BAD_REQUEST"],
      [{ id: "" }, "BAD_REQUEST"],
      [{ table: "people" }, "BAD_REQUEST"],
      [{ args: { least: "7" } }, "VALIDATION_ERROR"],
      [{ args: [] }, "VALIDATION_ERROR"],
      [{ identity: "eve" }, "BAD_REQUEST"],
      [{ identity: {} }, "BAD_REQUEST"],
      [{ identity: { userId: "" } }, "BAD_REQUEST"],
      [{ shape: "broken", args: {} }, "SCHEMA_INVALID"],
      [{ shape: "inRoom", args: { room: "red" }, table: "messages" }, "SHARD_MISMATCH"],
    ];
    for (const [more, expected] of bad)
      await expect(why(more), JSON.stringify(more)).rejects.toMatchObject({ code: expected });
  });
});
