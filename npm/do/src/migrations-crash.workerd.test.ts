import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { admin, TOKEN } from "../testing/admin-client.ts";
import { appEntry, inspect, NAMESPACES, result } from "../testing/client.ts";
import type { Loose } from "../testing/loose.ts";
import { migrate, progress } from "../testing/migrate.ts";
import { Random } from "../testing/random.ts";
import { TestWorker } from "../testing/workerd.ts";

const random = new Random(inject("seed"));
const ROWS = 100_000;
const ROUNDS = 20;

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("migrations"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
});

afterAll(() => worker?.stop());

const sql = (text: string): Promise<Loose[]> => inspect(worker, "sql", text);

/** Rows by how often they are migrated, on either side of the line. */
async function sides(): Promise<{ behind: Loose[]; ahead: Loose[]; place: string }> {
  const count = "SELECT doc ->> 'n' AS n, count(*) AS rows FROM things";
  const [line] = await sql("SELECT place, row_time, row_id FROM __lunora_migrations WHERE id = '1-count'");
  if (line === undefined || line.place === "start")
    return { behind: [], ahead: await sql(`${count} GROUP BY n`), place: "start" };
  if (line.place === "end") return { behind: await sql(`${count} GROUP BY n`), ahead: [], place: "end" };
  const [is, isNot] = line.place === "after" ? ["<=", ">"] : ["<", ">="];
  const side = (comparison: string): Promise<Loose[]> =>
    sql(`${count} WHERE (_creationTime, id) ${comparison} (${line.row_time}, '${line.row_id}') GROUP BY n`);
  return { behind: await side(is), ahead: await side(isNot), place: line.place };
}

async function isBetween(): Promise<boolean> {
  const [line] = await sql("SELECT place FROM __lunora_migrations WHERE id = '1-count'");
  return line !== undefined && line.place !== "start" && line.place !== "end";
}

test(`SIGKILL ${ROUNDS} times, ${ROWS} rows, both ways: each row is transformed once`, async () => {
  for (let filled = 0; filled < ROWS; filled += 10_000)
    await result(worker, "t:write", { steps: [["fill", "things", 10_000, { text: "x", n: 0 }]] });
  expect((await progress(worker)).counts["1-count"]).toMatchObject({ pending: 1 });
  let between = 0;
  let last = "start";
  for (let round = 0; round < ROUNDS; round += 1) {
    const isUp = last === "start" || (last !== "end" && random.chance(0.65));
    const run = { hasEnded: false };
    const running = migrate(worker, "1-count", {
      direction: isUp ? "up" : "down",
      run: `round ${round}`,
      batchSize: random.below(400) + 20,
    })
      .catch(() => undefined)
      .finally(() => (run.hasEnded = true));
    // Some batches run between two questions, however busy the machine is.
    while (!run.hasEnded && !(await isBetween())) await pause(1);
    for (let left = random.below(250); left > 0 && !run.hasEnded; left -= 1) await sql("SELECT 1");
    await worker.kill();
    await running;
    await worker.spawn();
    // Every third time it dies again while it comes back.
    if (round % 3 === 2) {
      void sql("SELECT 1").catch(() => {});
      await pause(random.below(15));
      await worker.restart();
    }
    const { behind, ahead, place } = await sides();
    if (place === "before" || place === "after") between += 1;
    last = place;
    expect(behind.filter(({ n }) => n !== 1)).toEqual([]);
    expect(ahead.filter(({ n }) => n !== 0)).toEqual([]);
    expect([...behind, ...ahead].reduce((sum, { rows }) => sum + (rows as number), 0)).toBe(ROWS);
    // Whoever died holds the lease for a while, which nobody waits for here.
    await admin(worker, "migrate/end", { run: `round ${round}` });
  }
  // Rounds that all ended at an end would prove little.
  expect(between).toBeGreaterThan(ROUNDS / 4);

  await migrate(worker, "1-count", { run: "last" });
  expect(await sql("SELECT doc ->> 'n' AS n, count(*) AS rows FROM things GROUP BY n")).toEqual([{ n: 1, rows: ROWS }]);
  expect((await progress(worker)).counts["1-count"]).toEqual({ pending: 0, partial: 0, applied: 1, failed: 0 });
  // Every change is in the log, which has no gap.
  const [log] = await sql("SELECT count(*) AS n, min(seq) AS low, max(seq) AS high FROM __cdc_log");
  expect(log.high - log.low + 1).toBe(log.n);
});
