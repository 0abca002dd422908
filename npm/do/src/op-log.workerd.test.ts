import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

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
const facts = async (): Promise<Loose> =>
  (await sql("SELECT count(*) AS n, min(seq) AS low, max(seq) AS high FROM __cdc_log"))[0];

/** What a socket that opens now is told of the log. */
async function position(): Promise<{ epoch: string; cursor: number }> {
  const client = await SocketClient.connect(worker);
  client.close();
  return client.connectAck;
}

/** Waits for what an alarm does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}

describe("retention", () => {
  test("rows beyond the limit stay while somebody may come back for them, and go by themselves after", async () => {
    // The app keeps 1,000 changes.
    await result(worker, "live:many", { rows: 3_000 });
    await inspect(worker, "ringNow", null);
    await pause(300);
    expect(await facts()).toEqual({ n: 3_000, low: 1, high: 3_000 });

    // More than four times as many: grace does not hold them.
    await result(worker, "live:many", { rows: 3_000 });
    await until(async () => (await facts()).n === 4_000);
    expect(await facts()).toEqual({ n: 4_000, low: 2_001, high: 6_000 });

    // Made older than grace.
    await sql("UPDATE __cdc_log SET ts = ts - 301000");
    await inspect(worker, "ringNow", null);
    await until(async () => (await facts()).n < 4_000);
    // They are older than the age that the app keeps as well; the newest one stays.
    expect(await facts()).toEqual({ n: 1, low: 6_000, high: 6_000 });
  });

  test("what goes is not remembered, and positions go on", async () => {
    const before = await position();
    await worker.restart();
    expect(await position()).toMatchObject({ epoch: before.epoch, cursor: 6_000 });
    await result(worker, "live:add", { text: "next" });
    expect((await position()).cursor).toBe(6_001);
  });

  test("chunks of images go with their change", async () => {
    await result(worker, "live:grow", { length: 300_000, unit: "x" });
    expect((await sql("SELECT count(*) AS n FROM __cdc_chunk"))[0].n).toBeGreaterThan(0);
    await result(worker, "live:add", { text: "newest" });
    await sql("UPDATE __cdc_log SET ts = ts - 301000");
    await inspect(worker, "ringNow", null);
    await until(async () => (await facts()).n === 1);
    expect(await sql("SELECT count(*) AS n FROM __cdc_chunk")).toEqual([{ n: 0 }]);
  });
});

describe("the epoch", () => {
  test("stays over restarts", async () => {
    const { epoch } = await position();
    await worker.restart();
    expect((await position()).epoch).toBe(epoch);
  });

  test("is another one when the newest changes are missing", async () => {
    const before = await position();
    await sql("DELETE FROM __cdc_log WHERE seq = (SELECT max(seq) FROM __cdc_log)");
    await worker.restart();
    const after = await position();
    expect(after.epoch).not.toBe(before.epoch);
    // Positions that were given out are not given out again.
    expect(after.cursor).toBe(before.cursor);
    await result(worker, "live:add", { text: "other timeline" });
    expect((await position()).cursor).toBe(before.cursor + 1);
    await worker.restart();
    expect((await position()).epoch).toBe(after.epoch);
  });

  test("is another one when the storage is another object's", async () => {
    const before = await position();
    await sql("UPDATE __cdc_meta SET value = 'elsewhere' WHERE key = 'object'");
    await worker.restart();
    const after = await position();
    expect(after.epoch).not.toBe(before.epoch);
    await worker.restart();
    expect((await position()).epoch).toBe(after.epoch);
  });
});

describe("a full disk", () => {
  const mounted = join(tmpdir(), ".lunora-full-disk-probe");
  const canMount =
    spawnSync("sh", ["-c", `mkdir -p ${mounted} && mount -t tmpfs -o size=1m tmpfs ${mounted} && umount ${mounted}`])
      .status === 0;

  // A commit that finds no room fails in the platform, which resets the object: callers are told by
  // the code of a shard that did not answer, sockets by being dropped.
  test.runIf(canMount)(
    "loses nothing that was acknowledged, writes nothing by halves, and serves on when there is room",
    async () => {
      const full = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
      const storage = `${full.directory}/storage`;
      const grow = (clientSeq: number): Loose => ({
        clientSeq,
        functionPath: "live:family",
        args: { name: "x".repeat(50_000), children: 2 },
      });
      try {
        await full.kill();
        expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", storage]).status).toBe(0);
        await full.spawn();
        let client = await SocketClient.connect(full, { clientId: "full" });
        let acked = 0;
        for (let isFull = false; !isFull && acked < 500;) {
          const ack = await client.push("full", [grow(acked + 1)]).catch(() => undefined);
          isFull = ack === undefined || ack.results[0].error !== undefined;
          if (!isFull) acked += 1;
        }
        expect(acked).toBeGreaterThan(3);
        expect(acked).toBeLessThan(500);
        const answer = await call(full, "live:family", { name: "x".repeat(50_000), children: 2 });
        expect(["STORAGE_FULL", "SHARD_ERROR"]).toContain(answer.error?.code);
        // Reading goes on.
        expect(await result(full, "live:list")).toEqual([]);

        await full.kill();
        expect(spawnSync("mount", ["-o", "remount,size=64m", storage]).status).toBe(0);
        await full.spawn();
        const counts = async (): Promise<Loose> =>
          (
            await inspect(
              full,
              "sql",
              "SELECT (SELECT count(*) FROM parents) AS parents, (SELECT count(*) FROM children) AS children, (SELECT count(*) FROM __cdc_log) AS log",
            )
          )[0];
        expect(await counts()).toEqual({ parents: acked, children: acked * 2, log: acked * 3 });
        client = await SocketClient.connect(full, { clientId: "full" });
        expect(client.connectAck.lastMutationId).toBe(acked);
        expect((await client.push("full", [grow(acked + 1)])).lastMutationId).toBe(acked + 1);
        expect((await counts()).parents).toBe(acked + 1);
        client.close();
      } finally {
        await full.kill();
        spawnSync("umount", [storage]);
        await full.stop();
      }
    },
  );
});
