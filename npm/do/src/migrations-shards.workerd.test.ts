import { afterAll, beforeAll, expect, test } from "vitest";

import { TOKEN } from "../testing/admin-client.ts";
import { appEntry, NAMESPACES, result } from "../testing/client.ts";
import { migrate, progress } from "../testing/migrate.ts";
import { TestWorker } from "../testing/workerd.ts";

/** More than one request visits, which is 200. */
const ROOMS = 210;

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({
    entry: appEntry("migrations"),
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
});

afterAll(() => worker?.stop());

test("a run goes through more shards than one request visits", async () => {
  const rooms = Array.from({ length: ROOMS }, (_, index) => `room ${index}`);
  for (let at = 0; at < rooms.length; at += 20)
    await Promise.all(
      rooms
        .slice(at, at + 20)
        .map((room) => result(worker, "t:writeRoom", { room, steps: [["fill", "messages", 3, { room, text: "a" }]] })),
    );
  const expected = { shards: ROOMS, rows: 3 * ROOMS, changed: 3 * ROOMS, failed: 0 };
  const rehearsed = await migrate(worker, "3-messages", { dryRun: true });
  expect(rehearsed).toMatchObject(expected);
  const ended = await migrate(worker, "3-messages");
  expect(ended).toMatchObject(expected);
  expect(ended.requests).toBeGreaterThan(1);
  expect((await progress(worker)).counts["3-messages"]).toEqual({ pending: 0, partial: 0, applied: ROOMS, failed: 0 });
  for (const room of [rooms[0], rooms.at(-1)]) {
    const rows = await result(worker, "t:listRoom", { room, table: "messages" });
    expect(rows.map(({ text }: { text: string }) => text)).toEqual(["A", "A", "A"]);
  }
});
