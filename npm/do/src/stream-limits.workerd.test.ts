import { setTimeout as pause } from "node:timers/promises";

import { encodeValue } from "@lunora/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, inspect, NAMESPACES } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { BOUNDS } from "../testing/stream-bounds.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("bounded-streams"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

let streams = 0;

/** Subscribes; answers the id. */
function open(client: SocketClient, args: object, rest: object = {}): string {
  const id = `s${(streams += 1)}`;
  client.send({ type: "stream", id, query: { functionPath: "streams:kept", args: encodeValue(args) }, ...rest });
  return id;
}

/** Everything that a stream brings up to its end. */
async function whole(client: SocketClient, id: string): Promise<{ chunks: Loose[]; end: Loose }> {
  const end = await client.next(
    (frame: Loose) => frame.id === id && (frame.type === "complete" || frame.type === "error"),
  );
  return { chunks: client.frames.filter((frame) => frame.id === id && frame.type === "chunk"), end };
}

const connect = (): Promise<SocketClient> => SocketClient.connect(worker, { caps: ["batch"] });

async function until(passes: () => Promise<boolean>): Promise<void> {
  while (!(await passes())) await pause(10);
}

const rows = async (statement: string): Promise<number> =>
  (await inspect(worker, "sql", `SELECT count(*) AS n FROM ${statement}`))[0].n;

test("a run that nobody hears ends after its time; whoever comes too late has its chunks, and is told", async () => {
  const client = await connect();
  const args = { name: "unheard", chunks: 3, waits: true };
  const first = open(client, args);
  const { generation } = await client.next((frame) => frame.id === first && frame.seq === 3);
  client.send({ type: "unsubscribe", id: first });
  await until(async () => (await inspect(worker, "seen", "unheard")) === "aborted");
  const late = await whole(client, open(client, args, { generation, sinceChunk: 1 }));
  expect(late.chunks.map(({ seq }) => seq)).toEqual([2, 3]);
  expect(late.end.error).toMatchObject({ code: "STREAM_INTERRUPTED", data: { unheardMs: BOUNDS.unheardMs } });
  // Another is started in its place, and goes on while it is heard.
  const again = open(client, args, { replaces: generation });
  await client.next((frame) => frame.id === again && frame.seq === 3);
  await pause(BOUNDS.unheardMs * 2);
  expect(await inspect(worker, "seen", "unheard")).toBe("running");
  client.close();
});

test("whoever comes back in time is in time, as often as it likes", async () => {
  const client = await connect();
  const args = { name: "heard", chunks: 1, waits: true };
  for (let visit = 0; visit < 4; visit += 1) {
    const id = open(client, args);
    await client.next((frame) => frame.id === id && frame.seq === 1);
    await pause(BOUNDS.unheardMs * 0.7);
    client.send({ type: "unsubscribe", id });
  }
  const last = open(client, args);
  await client.next((frame) => frame.id === last && frame.seq === 1);
  expect(await inspect(worker, "seen", "heard")).toBe("running");
  client.close();
});

test("a run has as many chunks as the app says", async () => {
  const client = await connect();
  const { chunks, end } = await whole(client, open(client, { name: "long", chunks: BOUNDS.chunks + 1 }));
  expect(chunks).toHaveLength(BOUNDS.chunks);
  expect(end.error).toMatchObject({ code: "STREAM_TOO_LONG", data: { chunks: BOUNDS.chunks } });
  client.close();
});

test("all runs of a shard together are bounded: the oldest are forgotten, and swept at once", async () => {
  const client = await connect();
  const generations: string[] = [];
  for (let run = 0; run < 20; run += 1) {
    const { chunks, end } = await whole(client, open(client, { name: `many ${run}`, chunks: 30, length: 1_000 }));
    expect(end.type).toBe("complete");
    generations.push(chunks[0].generation);
    const [{ bytes }] = await inspect(worker, "sql", "SELECT sum(bytes) AS bytes FROM __stream_run");
    expect(bytes).toBeLessThanOrEqual(BOUNDS.keptBytes);
  }
  await until(async () => (await rows("__stream_run WHERE bytes = 0")) === 0);
  const kept = await rows("__stream_chunk WHERE length(data) > 1000");
  expect(kept).toBeLessThanOrEqual(BOUNDS.keptBytes / 1_000);
  const newest = { name: "many 19", chunks: 30, length: 1_000 };
  const resumed = await whole(client, open(client, newest, { generation: generations[19], sinceChunk: 29 }));
  expect([resumed.chunks.length, resumed.end.type]).toEqual([1, "complete"]);
  const oldest = { name: "many 0", chunks: 30, length: 1_000 };
  const gone = await whole(client, open(client, oldest, { generation: generations[0], sinceChunk: 1 }));
  expect([gone.chunks.length, gone.end.error.code]).toEqual([0, "STREAM_INTERRUPTED"]);
  client.close();
});

test("runs that go on have their room: what does not fit beside them is refused", async () => {
  const client = await connect();
  const held = open(client, { name: "holds", chunks: 90, length: 2_000, waits: true });
  await client.next((frame) => frame.id === held && frame.seq === 90);
  const { end } = await whole(client, open(client, { name: "no room", chunks: 50, length: 1_000 }));
  expect(end.error).toMatchObject({ code: "STREAM_TOO_LONG", data: { keptBytes: BOUNDS.keptBytes } });
  expect(await inspect(worker, "seen", "holds")).toBe("running");
  client.close();
});
