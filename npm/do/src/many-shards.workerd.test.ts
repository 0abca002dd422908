// Very many shards: each is registered, asked by a fan-out, exported once and weighed, and none of that piles up.
import { readFileSync } from "node:fs";

import { afterEach, expect, test } from "vitest";

import { admin, exportAll, TOKEN } from "../testing/admin-client.ts";
import { appEntry, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { TestWorker } from "../testing/workerd.ts";

/** With `LUNORA_FULL=1` as many as releases are held to. */
const SHARDS = process.env["LUNORA_FULL"] === "1" ? 10_000 : 240;

/** Shards that are written at a time. */
const WRITERS = 16;

let worker: TestWorker;
afterEach(() => worker?.stop());

/** Memory of workerd, MiB. */
function memory(): number {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${worker.pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kibibytes) / 1024);
}

/** Files that an object has open while it is awake. */
const FILES = 3;

/** How many workerd may have open. */
function openFiles(): number {
  const [, limit = "0"] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${worker.pid}/limits`, "utf8")) ?? [];
  return Number(limit);
}

/** Says how long a step took and what workerd holds afterwards; judges neither. */
async function told<Result>(what: string, step: () => Promise<Result>): Promise<Result> {
  const began = performance.now();
  const answer = await step();
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s, workerd holds ${memory()} MiB`);
  return answer;
}

test(`${SHARDS} shards`, { timeout: 1_200_000 }, async () => {
  worker = await TestWorker.start({
    entry: appEntry("many-shards"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
  const rooms = Array.from({ length: SHARDS }, (_, index) => `room ${index}`);
  await told(`${SHARDS} shards are written`, async () => {
    const waiting = [...rooms];
    const write = async (): Promise<void> => {
      for (let room = waiting.pop(); room !== undefined; room = waiting.pop())
        await result(worker, "notes:add", { room, text: `in ${room}` });
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
  });

  const pages: number[] = [];
  let heldMost = 0;
  const dump = await told("an export reads all of them", () =>
    exportAll(worker, { id: "many", tables: ["notes"] }, async () => {
      pages.push(1);
      heldMost = Math.max(heldMost, memory());
    }),
  );
  // A Worker may call only so many objects in one request.
  expect(pages.length).toBeGreaterThanOrEqual(SHARDS / 200);
  const lines = dump.lines.map((line) => JSON.parse(line) as Loose);
  const named = lines.filter(({ kind }) => kind === "shard").map(({ name }) => name as string);
  expect(new Set(named).size).toBe(SHARDS);
  expect(named).toHaveLength(SHARDS);
  const texts = lines.filter(({ table }) => table === "notes").map(({ doc }) => doc.text as string);
  expect(texts.toSorted()).toEqual(rooms.map((room) => `in ${room}`).toSorted());

  const weighed = await told("their rows are weighed", async () => {
    const sums = { shards: 0, rows: 0 };
    let cursor: string | null = null;
    do {
      const page: Loose = await admin(worker, "residency/tables", { cursor });
      sums.shards += page.shards;
      sums.rows += page.tables.notes?.rows ?? 0;
      ({ cursor } = page);
    } while (cursor !== null);
    return sums;
  });
  expect(weighed).toEqual({ shards: SHARDS, rows: SHARDS });
  console.log(`most that workerd held during the export: ${heldMost} MiB`);

  const counted = await told("a fan-out asks all of them", () => result(worker, "notes:count"));
  const { data, ok, failed, errors } = counted as { data: number; ok: number; failed: number; errors: Loose[] };
  console.log(`${ok} answered and ${failed} failed, with ${openFiles()} open files allowed`);
  expect([data, ok + failed]).toEqual([ok, SHARDS]);
  // What a machine refuses is data too.
  expect(errors.every(({ code, shardKey }) => code === "SHARD_ERROR" && rooms.includes(shardKey as string))).toBe(true);
  if (FILES * SHARDS + 1_000 < openFiles()) expect(failed).toBe(0);
  // The one request keeps all of them awake; requests that each visit some let go of them.
  expect(heldMost).toBeLessThan(1.5 * memory() + 64);
});
