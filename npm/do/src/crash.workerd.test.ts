import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { appEntry, inspect, NAMESPACES } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { Random } from "../testing/random.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

const random = new Random(inject("seed"));
const ROUNDS = 20;
const WRITERS = 8;
const CHILDREN = 4;

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const sql = (text: string): Promise<Loose[]> => inspect(worker, "sql", text);

interface Writer {
  readonly clientId: string;
  /** Sent so far. */
  sent: number;
  /** Acknowledged so far. */
  acked: number;
}

/** Pushes until the process dies; several pushes are on their way at any time. */
async function write(writer: Writer, client: SocketClient): Promise<void> {
  const family = (clientSeq: number): Loose => ({
    clientSeq,
    // Some wait for a timer between their writes.
    functionPath: random.chance(0.1) ? "live:slowFamily" : "live:family",
    args: { name: `${writer.clientId} ${clientSeq}`, children: CHILDREN },
  });
  // What was on its way when the process died is sent again, under the same numbers.
  let next = (client.connectAck.lastMutationId as number) + 1;
  const lanes = Array.from({ length: 3 }, async () => {
    while (!client.hasClosed) {
      const entries = Array.from({ length: random.below(4) + 1 }, (_, index) => family(next + index));
      next += entries.length;
      writer.sent = Math.max(writer.sent, next - 1);
      const ack = await client.push(writer.clientId, entries).catch(() => undefined);
      if (ack === undefined) return;
      expect(ack.results.filter((entry: Loose) => entry.error !== undefined)).toEqual([]);
      writer.acked = Math.max(writer.acked, ack.lastMutationId);
    }
  });
  await Promise.all(lanes);
}

test(`SIGKILL under ${WRITERS} writers, ${ROUNDS} times: nothing acknowledged is lost, happens twice or is torn`, async () => {
  const writers: Writer[] = Array.from({ length: WRITERS }, (_, index) => ({
    clientId: `writer ${index}`,
    sent: 0,
    acked: 0,
  }));
  for (let round = 0; round < ROUNDS; round += 1) {
    const clients = await Promise.all(
      writers.map(({ clientId }) => SocketClient.connect(worker, { clientId, caps: ["batch"] })),
    );
    const running = Promise.all(writers.map((writer, index) => write(writer, clients[index] as SocketClient)));
    await pause(random.below(200) + 50);
    // However busy the machine is.
    while (writers.some(({ acked }) => acked <= round + 1)) await pause(5);
    await worker.kill();
    await running;
    await worker.spawn();
    // Every third time it dies again while it comes back.
    if (round % 3 === 2) {
      void inspect(worker, "sql", "SELECT 1").catch(() => {});
      await pause(random.below(15));
      await worker.restart();
    }

    const watermarks = new Map(
      (await sql("SELECT client_id, last_mutation_id FROM __client_watermark")).map((row) => [
        row.client_id as string,
        row.last_mutation_id as number,
      ]),
    );
    const families = await sql(
      "SELECT p.doc ->> 'name' AS name, (SELECT count(*) FROM children c WHERE c.doc ->> 'parentId' = p.id) AS children FROM parents p",
    );
    const names = new Set(families.map(({ name }) => name as string));
    // Once each, whole.
    expect(names.size).toBe(families.length);
    expect(families.filter(({ children }) => children !== CHILDREN)).toEqual([]);
    for (const { clientId, acked, sent } of writers) {
      const watermark = watermarks.get(clientId) ?? 0;
      expect(watermark).toBeGreaterThanOrEqual(acked);
      expect(watermark).toBeLessThanOrEqual(sent);
      // Exactly what the watermark says has happened.
      const own = [...names].filter((name) => name.startsWith(`${clientId} `));
      expect(own).toHaveLength(watermark);
      for (let seq = 1; seq <= watermark; seq += 1) expect(names.has(`${clientId} ${seq}`)).toBe(true);
    }
    const [log] = await sql(
      "SELECT count(*) AS n, min(seq) AS low, max(seq) AS high, (SELECT seq FROM sqlite_sequence WHERE name = '__cdc_log') AS assigned FROM __cdc_log",
    );
    if (log.n > 0) {
      expect(log.high - log.low + 1).toBe(log.n);
      expect(log.assigned).toBe(log.high);
    }
    if (log.low === 1) expect(log.n).toBe(families.length * (1 + CHILDREN));
  }
  // A run in which little was acknowledged would prove little.
  expect(writers.every(({ acked }) => acked > ROUNDS)).toBe(true);
});
