import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { appEntry, inspect, NAMESPACES, result, step } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { settled, subscribe, viewOf } from "../testing/query-view.ts";
import type { QueryView } from "../testing/query-view.ts";
import { Random } from "../testing/random.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("queries"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const write = (...steps: object[]): Promise<Loose[]> => result(worker, "queries:write", { steps });
const say = async (channel: string, author: string, body: string): Promise<string> => {
  const [id] = await write(step("messages", "insert", { channel, author, body }));
  return id as string;
};
const LIST = ["queries:list", { channel: "a" }] as const;

/** What a client has that has just gone away. */
async function leave(functionPath: string, args: object, token?: string): Promise<QueryView> {
  const client = await SocketClient.connect(worker, {}, token === undefined ? {} : { token });
  await subscribe(client, "s", functionPath, args);
  const view = viewOf(client, "s") as QueryView;
  client.close();
  return view;
}

const sinceOf = ({ cursor, epoch, version }: QueryView): Loose => ({
  sinceSeq: cursor,
  sinceEpoch: epoch,
  sinceVersion: version,
});

/** The first frame of a client that comes back. */
async function comeBack(functionPath: string, args: object, since: object, token?: string): Promise<Loose> {
  const client = await SocketClient.connect(worker, {}, token === undefined ? {} : { token });
  const frame = await subscribe(client, "s", functionPath, args, since);
  client.close();
  return { ...frame, head: client.connectAck.cursor };
}

describe("whoever comes back", () => {
  test("at the head goes on with what it has", async () => {
    await say("a", "ann", "one");
    const view = await leave(...LIST);
    expect(view.data).toHaveLength(1);
    expect(await comeBack(...LIST, sinceOf(view))).toMatchObject({
      type: "resume",
      cursor: view.cursor,
      epoch: view.epoch,
    });
  });

  test("after writes that cannot matter goes on from the head", async () => {
    const view = await leave(...LIST);
    await say("b", "ann", "elsewhere");
    await write(step("users", "insert", { name: "ann" }));
    const frame = await comeBack(...LIST, sinceOf(view));
    expect(frame).toMatchObject({ type: "resume", cursor: view.cursor + 2 });
  });

  test("after a change that was taken back goes on as well", async () => {
    const id = await say("a", "ann", "same");
    const view = await leave(...LIST);
    await write(step("messages", "patch", id, { body: "other" }));
    await write(step("messages", "patch", id, { body: "same" }));
    expect(await comeBack(...LIST, sinceOf(view))).toMatchObject({ type: "resume" });
  });

  test("after a write that matters gets the result", async () => {
    const view = await leave(...LIST);
    await say("a", "ann", "new");
    const frame = await comeBack(...LIST, sinceOf(view));
    expect(frame).toMatchObject({ type: "data", cursor: view.cursor + 1, epoch: view.epoch });
    expect(frame.data.at(-1).body).toBe("new");
  });

  test("and then gets what changes", async () => {
    const view = await leave(...LIST);
    const client = await SocketClient.connect(worker, { caps: ["pageDelta"] });
    expect(await subscribe(client, "s", ...LIST, sinceOf(view))).toMatchObject({ type: "resume" });
    const id = await say("a", "ann", "after");
    await settled(client);
    const after = viewOf(client, "s", view) as QueryView;
    expect(client.frames.filter((frame) => frame.id === "s").map(({ type }) => type)).toEqual(["resume", "delta"]);
    expect(after.data.map((row: Loose) => row._id)).toEqual([...view.data.map((row: Loose) => row._id), id]);
    client.close();
  });

  test("as somebody else, or to other code, gets the result", async () => {
    await say("a", "ann", "by ann");
    const view = await leave("queries:mine", {}, "ann");
    expect(await comeBack("queries:mine", {}, sinceOf(view), "ann")).toMatchObject({ type: "resume" });
    expect(await comeBack("queries:mine", {}, sinceOf(view), "ben")).toMatchObject({ type: "data", data: [] });
    const { sinceVersion: _, ...unnamed } = sinceOf(view);
    expect(await comeBack("queries:mine", {}, unnamed, "ann")).toMatchObject({ type: "data" });
    expect(await comeBack("queries:mine", {}, { ...unnamed, sinceVersion: "other" }, "ann")).toMatchObject({
      type: "data",
    });
  });

  test("after a failure gets the result", async () => {
    const view = await leave("queries:fails", {});
    const [on] = await write(step("switches", "insert", { name: "broken" }));
    expect(await comeBack("queries:fails", {}, sinceOf(view))).toMatchObject({ type: "error" });
    await write(step("switches", "delete", on));
  });

  test.each(Array.from({ length: 20 }, (_, offset) => offset))("with anything else (seed + %i)", async (offset) => {
    const random = new Random(inject("seed") + offset);
    const view = await leave(...LIST);
    const seqs = [view.cursor + 1, view.cursor + 1_000_000, Number.MAX_SAFE_INTEGER];
    const wrong = random.pick([
      { sinceSeq: random.pick(seqs) },
      { sinceEpoch: random.pick(["0", "e", `${view.epoch}x`, view.epoch.toUpperCase() + "!"]) },
      { sinceVersion: random.pick(["0-0", view.version.slice(1), `${view.version} `]) },
    ]);
    expect(await comeBack(...LIST, { ...sinceOf(view), ...wrong })).toMatchObject({
      type: "data",
      cursor: view.cursor,
      epoch: view.epoch,
    });
  });

  test.each([{ sinceSeq: -1 }, { sinceSeq: 1.5 }, { sinceSeq: "1" }, { sinceEpoch: 1 }, { sinceVersion: {} }])(
    "with what is no position is told so: %j",
    async (wrong) => {
      const client = await SocketClient.connect(worker);
      client.send({ type: "subscribe", id: "s", query: { functionPath: LIST[0], args: LIST[1], ...wrong } });
      expect((await client.closed).code).toBe(1008);
      expect(client.frames.at(-1)).toMatchObject({ type: "error", error: { code: "FRAME_MALFORMED" } });
    },
  );

  test("at the floor of the log and before it", async () => {
    const view = await leave(...LIST);
    // Four times what is kept: the grace for those who just left is over.
    for (let index = 0; index < 4; index += 1) {
      await write(
        step(
          "users",
          "insertMany",
          Array.from({ length: 220 }, () => ({ name: "x" })),
        ),
      );
    }
    await inspect(worker, "ringNow", null);
    const bounds = async (): Promise<{ floor: number; head: number }> => {
      const [row] = await inspect(
        worker,
        "sql",
        "SELECT coalesce(min(seq), 0) AS floor, coalesce(max(seq), 0) AS head FROM __cdc_log",
      );
      return row;
    };
    let log = await bounds();
    while (log.floor <= view.cursor + 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      log = await bounds();
    }
    const since = sinceOf(view);
    const { head, floor } = log;
    expect(head).toBe(view.cursor + 880);
    // The change at the floor is still there, so whoever has seen everything before it can go on.
    for (const [seq, type] of [
      [view.cursor, "data"],
      [floor - 2, "data"],
      [floor - 1, "resume"],
      [floor, "resume"],
      [head - 1, "resume"],
      [head, "resume"],
      [head + 1, "data"],
      [0, "data"],
    ] as const) {
      const frame = await comeBack(...LIST, { ...since, sinceSeq: seq });
      expect({ seq, type: frame.type, cursor: frame.cursor }).toEqual({ seq, type, cursor: head });
    }
  });
});
