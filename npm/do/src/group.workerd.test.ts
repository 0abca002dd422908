import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { appEntry, call, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const sql = (text: string): Promise<Loose[]> => inspect(worker, "sql", text);
const texts = async (): Promise<string[]> => result(worker, "live:list");
const head = async (): Promise<number> => (await sql("SELECT coalesce(max(seq), 0) AS seq FROM __cdc_log"))[0].seq;

/** One push is one group: 50 entries, the one at the place another than the others. */
async function pushFifty(name: string, place: number, odd: { functionPath: string; args: object }): Promise<Loose> {
  const client = await SocketClient.connect(worker, { clientId: name, caps: ["batch"] });
  const ack = await client.push(
    name,
    Array.from({ length: 50 }, (_, index) => ({
      clientSeq: index + 1,
      ...(index === place ? odd : { functionPath: "live:add", args: { text: `${name} ${index}` } }),
    })),
  );
  client.close();
  return ack;
}

const others = (name: string, place: number): string[] =>
  Array.from({ length: 50 }, (_, index) => `${name} ${index}`).filter((_, index) => index !== place);

describe("one of a group of fifty", () => {
  test.each([0, 25, 49])("throws at place %i: it alone is taken back", async (place) => {
    const name = `throws ${place}`;
    const before = await head();
    const ack = await pushFifty(name, place, { functionPath: "live:fail", args: { text: `${name} odd` } });
    expect(ack.results.filter((entry: Loose) => entry.error !== undefined)).toEqual([
      { clientSeq: place + 1, error: expect.objectContaining({ code: "CONFLICT" }) },
    ]);
    expect((await texts()).filter((text) => text.startsWith(name))).toEqual(others(name, place));
    // The log has what happened and nothing else, and the group had one commit.
    const log = await sql(`SELECT doc, ts FROM __cdc_log WHERE seq > ${before} ORDER BY seq`);
    expect(log.map(({ doc }) => JSON.parse(doc).text)).toEqual(others(name, place));
    expect(new Set(log.map(({ ts }) => ts)).size).toBe(1);
    expect(ack.lastMutationId).toBe(50);
  });

  test("hangs: it is rolled back in time, with a code, and the others commit", async () => {
    const ack = await pushFifty("hangs", 20, { functionPath: "live:hang", args: { text: "hangs odd" } });
    expect(ack.results[20]).toEqual({ clientSeq: 21, error: expect.objectContaining({ code: "MUTATION_TIMEOUT" }) });
    expect((await texts()).filter((text) => text.startsWith("hangs"))).toEqual(others("hangs", 20));
    expect(ack.lastMutationId).toBe(50);
  });

  test("forgets an await: what it began belongs to it", async () => {
    const ack = await pushFifty("forgets", 20, { functionPath: "live:forget", args: { text: "forgets 20" } });
    expect(ack.results[20]).toEqual({ clientSeq: 21 });
    const expected = others("forgets", -1).map((text) => (text === "forgets 20" ? "audit forgets 20" : text));
    expect((await texts()).filter((text) => text.includes("forgets"))).toEqual(expected);
  });

  test("writes after it has settled: nothing of that, in nobody's mutation", async () => {
    const ack = await pushFifty("late", 20, { functionPath: "live:lateWriter", args: { text: "late odd" } });
    expect(ack.results[20]).toEqual({ clientSeq: 21 });
    // A slow mutation keeps a group open while the late write comes.
    await result(worker, "live:slow", { text: "slow", ms: 100 });
    expect((await texts()).filter((text) => text.startsWith("late odd"))).toEqual(["late odd first"]);
  });

  test("has a cascade and fails after: parents, children and log are as before", async () => {
    const id = await result(worker, "live:family", { name: "kept", children: 3 });
    const removed = await result(worker, "live:family", { name: "removed", children: 3 });
    const before = await head();
    const client = await SocketClient.connect(worker, { clientId: "cascade" });
    const ack = await client.push("cascade", [
      { clientSeq: 1, functionPath: "live:key", args: { key: "a" } },
      { clientSeq: 2, functionPath: "live:removeFamilyThenFail", args: { id } },
      { clientSeq: 3, functionPath: "live:removeFamily", args: { id: removed } },
      { clientSeq: 4, functionPath: "live:key", args: { key: "a" } },
    ]);
    expect(ack.results.map((entry: Loose) => entry.error?.code ?? null)).toEqual([
      null,
      "CONFLICT",
      null,
      "NOT_UNIQUE",
    ]);
    const children = await sql("SELECT doc FROM children ORDER BY _creationTime, id");
    expect(children.map(({ doc }) => JSON.parse(doc).name)).toEqual(["kept 0", "kept 1", "kept 2"]);
    const log = await sql(`SELECT "table" AS t, op, doc, before FROM __cdc_log WHERE seq > ${before} ORDER BY seq`);
    expect(log.map(({ t, op }) => `${op} ${t}`)).toEqual([
      "insert keys",
      "delete children",
      "delete children",
      "delete children",
      "delete parents",
    ]);
    expect(log[1]).toMatchObject({ doc: null, before: expect.stringContaining('"removed ') });
    client.close();
  });
});

test("what triggers write is logged, with images before and after", async () => {
  const before = await head();
  await result(worker, "live:forget", { text: "logged" });
  const id = await result(worker, "live:grow", { length: 3, unit: "a" });
  await result(worker, "live:regrow", { id, length: 2, unit: "b" });
  const log = await sql(`SELECT "table" AS t, op, doc, before FROM __cdc_log WHERE seq > ${before} ORDER BY seq`);
  expect(log).toEqual([
    { t: "audited", op: "insert", doc: '{"name":"logged"}', before: null },
    { t: "notes", op: "insert", doc: '{"text":"audit logged"}', before: null },
    { t: "notes", op: "insert", doc: '{"text":"aaa"}', before: null },
    { t: "notes", op: "update", doc: '{"text":"bb"}', before: '{"text":"aaa"}' },
  ]);
});

test("images of 1.9 MB are cut into chunks and put together again", async () => {
  const before = await head();
  // Surrogate pairs at every other place: no cut may fall into one.
  const id = await result(worker, "live:grow", { length: 474_000, unit: "\u{1F600}" });
  await result(worker, "live:regrow", { id, length: 1_890_000, unit: "y" });
  const rows = await sql(`SELECT seq, doc, before FROM __cdc_log WHERE seq > ${before} ORDER BY seq`);
  expect(rows.map(({ doc, before: image }) => [doc, image])).toEqual([
    [null, null],
    [null, null],
  ]);
  const whole = async (seq: number, image: string): Promise<string> =>
    (await sql(`SELECT text FROM __cdc_chunk WHERE seq = ${seq} AND image = '${image}' ORDER BY part`))
      .map(({ text }) => text)
      .join("");
  expect(JSON.parse(await whole(rows[0].seq, "doc"))).toEqual({ text: "\u{1F600}".repeat(474_000) });
  expect(JSON.parse(await whole(rows[1].seq, "before"))).toEqual({ text: "\u{1F600}".repeat(474_000) });
  expect(JSON.parse(await whole(rows[1].seq, "doc"))).toEqual({ text: "y".repeat(1_890_000) });
  const [{ longest }] = await sql("SELECT max(length(CAST(text AS BLOB))) AS longest FROM __cdc_chunk");
  expect(longest).toBeLessThan(2_000_000);
});

test.each([99, 100, 101, 1_000, 50_000])("one mutation changes %i rows: all are there and logged", async (rows) => {
  const before = await head();
  const [{ n }] = await sql("SELECT count(*) AS n FROM notes");
  expect(await result(worker, "live:many", { rows })).toBe(rows);
  expect((await sql("SELECT count(*) AS n FROM notes"))[0].n - n).toBe(rows);
  const [log] = await sql(
    `SELECT count(*) AS n, min(seq) AS low, max(seq) AS high FROM __cdc_log WHERE seq > ${before}`,
  );
  expect(log).toMatchObject({ n: log.high - log.low + 1, high: before + rows });
  // Retention may have begun already with what is more than four times the rows that the app keeps.
  expect(log.n).toBeGreaterThanOrEqual(Math.min(rows, 4_000));
  const [mismatch] = await sql(
    `SELECT count(*) AS n FROM __cdc_log l JOIN notes t ON t.id = l.id WHERE l.seq > ${before} AND (t.doc IS NOT l.doc OR t._creationTime IS NOT l.creation_time)`,
  );
  expect(mismatch.n).toBe(0);
});

test("a query never sees a mutation that is still open", async () => {
  const [{ n }] = await sql("SELECT count(*) AS n FROM notes");
  const during = result(worker, "live:slowCount", { ms: 60 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const writing = call(worker, "live:hang", { text: "never" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const beside = result(worker, "live:slowCount", { ms: 1 });
  expect((await writing).error?.code).toBe("MUTATION_TIMEOUT");
  expect(await during).toEqual([n, n]);
  expect(await beside).toEqual([n, n]);
});

test("a push's result that is too long to be kept is refused, and nothing of it happens", async () => {
  const client = await SocketClient.connect(worker, { clientId: "long" });
  const ack = await client.push("long", [
    { clientSeq: 1, functionPath: "live:long", args: { length: 1_100_000 } },
    { clientSeq: 2, functionPath: "live:long", args: { length: 900_000 } },
    { clientSeq: 3, functionPath: "live:long", args: { length: 900_001 } },
  ]);
  // Two results fit the store and no frame: the mutations succeeded, so the ack leaves a result out.
  expect(ack.results.map((entry: Loose) => entry.error?.code ?? entry.result?.length ?? null)).toEqual([
    "RESULT_TOO_LARGE",
    900_000,
    null,
  ]);
  for (const message of client.messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_048_576);
  client.close();
});

test("mutations of many sockets that wait share commits, and each gets its own outcome", async () => {
  const clients = await Promise.all(
    Array.from({ length: 30 }, (_, index) => SocketClient.connect(worker, { clientId: `shared ${index}` })),
  );
  const before = await head();
  const acks = await Promise.all(
    clients.map(async (client, index) => {
      const own: Loose[] = [];
      for (let seq = 1; seq <= 20; seq += 1) {
        const functionPath = (seq + index) % 5 === 0 ? "live:fail" : "live:add";
        own.push(
          await client.push(`shared ${index}`, [{ clientSeq: seq, functionPath, args: { text: `${index} ${seq}` } }]),
        );
      }
      return own;
    }),
  );
  acks.forEach((own, index) =>
    own.forEach((ack, place) => {
      const [entry] = ack.results;
      expect(entry.clientSeq).toBe(place + 1);
      expect(ack.lastMutationId).toBe(place + 1);
      if ((place + 1 + index) % 5 === 0) expect(entry.error.data).toEqual({ text: `${index} ${place + 1}` });
      else expect(entry.result).toEqual(expect.any(String));
    }),
  );
  const [log] = await sql(`SELECT count(*) AS n, count(DISTINCT ts) AS groups FROM __cdc_log WHERE seq > ${before}`);
  expect(log.n).toBe(480);
  expect(log.groups).toBeLessThan(480);
  for (const client of clients) client.close();
});
