import { readdir } from "node:fs/promises";

import { newJobId } from "@lunora/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { call, code, result } from "../../do/testing/client.ts";
import type { Loose } from "../../do/testing/loose.ts";
import type { TestWorker } from "../../do/testing/workerd.ts";
import { schedulerRows, shardRows, startApp, until } from "../testing/worker.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await startApp();
});

afterAll(() => worker?.stop());

const marks = async (): Promise<string[]> => result(worker, "app:marks");
const marked = (text: string): Promise<string[]> =>
  until(marks, (all) => all.some((mark) => mark.startsWith(text))).then((all) =>
    all.filter((mark) => mark.startsWith(text)),
  );
const plan = (target: string, each: object[], more: object = {}): Promise<string[]> =>
  result(worker, "app:plan", { target, each, delay: 0, ...more });
const dead = async (id: string): Promise<Loose> =>
  until(
    () => result(worker, "app:look", { id }),
    (job: Loose) => job?.state === "dead",
  );
/** Everything that was planned before has run, or waits for later. */
const quiet = (): Promise<Loose[]> =>
  until(
    async () => [
      ...(await shardRows(worker, "SELECT 1 FROM __schedule_outbox")),
      ...(await schedulerRows(worker, `SELECT id FROM jobs WHERE is_running = 1 OR next_at <= ${Date.now()}`)),
    ],
    (rows) => rows.length === 0,
  );

describe("a mutation", () => {
  test("schedules a mutation, which runs once, as nobody, and knows its job", async () => {
    const [id] = await plan("mark", [{ text: "once" }]);
    expect(await marked("once")).toEqual(["once"]);
    await quiet();
    const rows = await result(worker, "app:markRows");
    expect(rows.filter((row: Loose) => row.text === "once").map((row: Loose) => row.jobId)).toEqual([id]);
    expect(await result(worker, "app:look", { id: id as string })).toBeNull();
  });

  test("schedules an action, which knows its job", async () => {
    const [id] = await plan("work", [{ text: "acted", ms: 0 }], { kind: "action" });
    expect(await marked("acted")).toEqual([`acted ${id}`]);
  });

  test("schedules into another shard, whose place is found when it schedules", async () => {
    await plan("roomMark", [{ room: "kitchen", text: "boiled" }]);
    await until(
      () => result(worker, "app:roomMarks", { room: "kitchen" }),
      (all: Loose) => all.length > 0,
    );
    expect(await code(worker, "app:plan", { target: "roomMark", each: [{ text: "nowhere" }], delay: 0 })).toBe(
      "BAD_REQUEST",
    );
  });

  test("that fails schedules nothing, and neither does a nested one that fails alone", async () => {
    expect(await code(worker, "app:plan", { target: "mark", each: [{ text: "lost" }], delay: 0, fails: true })).toBe(
      "CONFLICT",
    );
    await result(worker, "app:planNested");
    await marked("outer after");
    await quiet();
    const all = await marks();
    expect(all.filter((text) => text === "lost" || text === "inner")).toEqual([]);
    expect(all.filter((text) => text.startsWith("outer")).toSorted()).toEqual(["outer after", "outer before"]);
  });

  test("that waits for something outside schedules with its commit", async () => {
    const planned = plan("mark", [{ text: "waited" }], { waits: 300 });
    expect(await shardRows(worker, "SELECT entry FROM __schedule_outbox")).toEqual([]);
    await planned;
    await marked("waited");
  });

  test("may schedule for a time that has passed, or a date", async () => {
    await result(worker, "app:planAt", { time: 0, text: "past" });
    await result(worker, "app:planAt", { time: new Date(Date.now() + 50), text: "dated" });
    await marked("past");
    await marked("dated");
  });

  test.each([
    ["a query", { target: "marks", each: [{}], delay: 0 }, "JOB_INVALID"],
    ["a function that is not there", { target: "nothing", each: [{}], delay: 0 }, "FUNCTION_NOT_FOUND"],
    ["a negative delay", { target: "mark", each: [{ text: "" }], delay: -1 }, "JOB_INVALID"],
    ["a delay that is no number", { target: "mark", each: [{ text: "" }], delay: Number.NaN }, "JOB_INVALID"],
    ["a time after all dates", { target: "mark", each: [{ text: "" }], delay: 1e16 }, "JOB_INVALID"],
    ["arguments that are no object", { target: "mark", each: [[1]], delay: 0 }, "JOB_INVALID"],
    ["no attempts", { target: "mark", each: [{ text: "" }], delay: 0, retry: { maxAttempts: 0 } }, "JOB_INVALID"],
    ["arguments too long", { target: "mark", each: [{ text: "x".repeat(262_144) }], delay: 0 }, "JOB_TOO_LARGE"],
  ])("is refused %s", async (_, args, expected) => {
    expect(await code(worker, "app:plan", args)).toBe(expected);
  });
});

describe("a trigger", () => {
  const remind = (each: object[], more: object = {}): Promise<string[]> =>
    result(worker, "app:remind", { each, ...more });

  test("schedules with the commit of its mutation, and not without it", async () => {
    expect(await code(worker, "app:remind", { each: [{ text: "never", delay: 0 }], fails: true })).toBe("CONFLICT");
    await remind([{ text: "reminded", delay: 0 }]);
    expect(await marked("reminded")).toEqual(["reminded"]);
    await quiet();
    expect((await marks()).filter((text) => text === "never")).toEqual([]);
  });

  test("cancels what another trigger scheduled", async () => {
    const [id] = await remind([{ text: "cancelled", delay: 600_000 }]);
    await result(worker, "app:forgetReminder", { id: id as string });
    expect(await marked("cancelled")).toEqual(["cancelled gone true"]);
  });

  test("of a row that expires schedules and cancels as well, also when the job has run", async () => {
    const expiresAt = Date.now() + 300;
    await remind([{ text: "expired early", delay: 600_000, expiresAt }]);
    await remind([{ text: "expired late", delay: 0, expiresAt }]);
    expect(await marked("expired early")).toEqual(["expired early gone true"]);
    await marked("expired late gone");
    expect(await marked("expired late")).toEqual(["expired late", "expired late gone false"]);
    expect((await result(worker, "app:reminders")).filter((row: Loose) => row.expiresAt !== undefined)).toEqual([]);
  });
});

describe("an action", () => {
  test("schedules at once", async () => {
    const id = await result(worker, "app:planNow", { target: "mark", args: { text: "by action" }, delay: 0 });
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(await marked("by action")).toEqual(["by action"]);
  });
});

describe("failures", () => {
  test("are tried again until it works, and what failed leaves nothing", async () => {
    await plan("flaky", [{ text: "third time", failures: 2 }]);
    expect(await marked("third time")).toEqual(["third time"]);
  });

  test("end in a dead letter with the code, after the attempts", async () => {
    const [id] = await plan("flaky", [{ text: "hopeless", failures: 99 }]);
    expect(await dead(id as string)).toMatchObject({
      id,
      functionPath: "app:flaky",
      args: { text: "hopeless", failures: 99 },
      attempts: 3,
      error: { code: "CONFLICT", message: "not yet hopeless" },
    });
    const page = await result(worker, "app:list", { options: { dead: true } });
    expect(page.jobs.map((job: Loose) => job.id)).toContain(id);
    expect(await marks()).not.toContain("hopeless");
  });

  test("are counted as the job itself says", async () => {
    const [id] = await plan("flaky", [{ text: "single", failures: 99 }], { retry: { maxAttempts: 1 } });
    expect(await dead(id as string)).toMatchObject({ attempts: 1 });
  });

  test("a function that has gone is a dead letter at once", async () => {
    const other = await startApp("gone");
    try {
      // Taken over as if it had been scheduled by the code before.
      const { APP } = await import("../testing/worker.ts");
      await other.bundle(APP, { WITHOUT: '""' });
      await other.restart();
      const [id] = await result(other, "app:plan", { target: "gone", each: [{}], delay: 1_500 });
      await other.bundle(APP, { WITHOUT: '"gone"' });
      await other.restart();
      const job = await until(
        () => result(other, "app:look", { id }),
        (found: Loose) => found?.state === "dead",
      );
      expect(job).toMatchObject({ attempts: 1, error: { code: "FUNCTION_NOT_FOUND" } });
    } finally {
      await other.stop();
    }
  });
});

describe("an id that somebody made up", () => {
  const shards = async (): Promise<string[]> =>
    (await readdir(`${worker.directory}/storage/test-ShardDO`)).filter((file) => file.endsWith(".sqlite"));

  test.each(["room=nowhere", "nonsense", "__lunora_scheduler__"])("makes no shard `%s`", async (shard) => {
    const before = await shards();
    expect(before.length).toBeGreaterThan(0);
    for (const id of [newJobId(shard), newJobId(shard)]) {
      expect(await result(worker, "app:cancelNow", { id })).toBe(false);
      expect(await result(worker, "app:cancel", { id })).toBe(false);
      expect(await result(worker, "app:look", { id })).toBeNull();
    }
    expect(await shards()).toEqual(before);
  });

  test("of a shard that is there is no job", async () => {
    expect(await result(worker, "app:cancelNow", { id: newJobId("__root__") })).toBe(false);
  });
});

describe("cancel", () => {
  const late = async (text: string): Promise<string> =>
    (await plan("mark", [{ text }], { delay: 600_000 }))[0] as string;
  const waits = async (id: string): Promise<boolean> => (await result(worker, "app:look", { id })) !== null;

  test("of what the same mutation scheduled", async () => {
    const answer = await result(worker, "app:planAndCancel");
    expect(answer).toMatchObject({ before: { state: "waiting", args: { text: "never" } }, first: true, second: false });
    expect(answer.after).toBeNull();
    await quiet();
    expect(await marks()).not.toContain("never");
  });

  test("counts with the commit, and not when it is taken back", async () => {
    const id = await late("kept");
    expect(await code(worker, "app:cancel", { id, fails: true })).toBe("CONFLICT");
    expect(await waits(id)).toBe(true);
    expect(await result(worker, "app:cancel", { id })).toBe(true);
    expect(
      await until(
        () => waits(id),
        (is) => !is,
      ),
    ).toBe(false);
    expect(await result(worker, "app:cancel", { id })).toBe(false);
  });

  test("by an action, at once, once", async () => {
    const id = await late("acted away");
    expect(await result(worker, "app:cancelNow", { id })).toBe(true);
    expect(await waits(id)).toBe(false);
    expect(await result(worker, "app:cancelNow", { id })).toBe(false);
  });

  test("of a job that is in the outbox still: it is fetched first", async () => {
    // Put there as a commit does whose hand-over never began.
    const id = "AAAAAAAAAAAAAAAAAAAAAA.X19yb290X18";
    const entry = {
      kind: "run",
      job: {
        id,
        functionPath: "app:mark",
        args: { text: "from outbox" },
        runAt: Date.now() + 600_000,
        shard: "__root__",
      },
    };
    await shardRows(worker, `INSERT INTO __schedule_outbox(entry) VALUES('${JSON.stringify(entry)}')`);
    expect(await result(worker, "app:cancelNow", { id })).toBe(true);
    expect(await shardRows(worker, "SELECT 1 FROM __schedule_outbox")).toEqual([]);
  });

  test("of what runs, has run, or never was is false", async () => {
    const [running] = await plan("work", [{ text: "running", ms: 500 }], { kind: "action" });
    await until(
      () => result(worker, "app:look", { id: running as string }),
      (job: Loose) => job?.state === "running",
    );
    expect(await result(worker, "app:cancel", { id: running as string })).toBe(false);
    expect(await result(worker, "app:cancelNow", { id: running as string })).toBe(false);
    expect(await result(worker, "app:cancel", { id: "nonsense" })).toBe(false);
    await marked("running");
    expect(await result(worker, "app:cancel", { id: running as string })).toBe(false);
  });

  test("a held job runs neither before nor while its mutation decides; another's question is told to come again", async () => {
    const [id] = await plan("mark", [{ text: "contested" }], { delay: 400 });
    const deciding = call(worker, "app:cancel", { id: id as string, fails: true, waits: 1_200 });
    await until(
      () => schedulerRows(worker, `SELECT hold FROM jobs WHERE id = '${id}'`),
      ([row]) => row?.hold !== null,
    );
    expect(await code(worker, "app:cancelInRoom", { room: "hall", id: id as string })).toBe("CONFLICT");
    expect(await code(worker, "app:cancelNow", { id: id as string })).toBe("CONFLICT");
    expect(await marks()).not.toContain("contested");
    expect((await deciding).error?.code).toBe("CONFLICT");
    // Taken back: it runs after all, although its time has passed.
    expect(await marked("contested")).toEqual(["contested"]);
  });

  test("races with the job itself: it is true or the job runs, never both, never neither", async () => {
    const ids = await plan(
      "mark",
      Array.from({ length: 60 }, (_, index) => ({ text: `race ${index};` })),
      { delay: 60 },
    );
    const answers = await Promise.all(
      ids.map(async (id, index) => {
        const answer = await call(worker, index % 2 === 0 ? "app:cancel" : "app:cancelNow", { id });
        return answer.result as boolean;
      }),
    );
    await quiet();
    const ran = new Set(await marks());
    answers.forEach((isCancelled, index) => expect([index, ran.has(`race ${index};`)]).toEqual([index, !isCancelled]));
  });
});

test("jobs are listed in pages, in mutations too", async () => {
  await plan(
    "mark",
    Array.from({ length: 5 }, () => ({ text: "listed" })),
    { delay: 900_000 },
  );
  await quiet();
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Loose = await result(worker, "app:list", { options: { limit: 2, cursor } });
    seen.push(...page.jobs.map((job: Loose) => job.id));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBeGreaterThanOrEqual(5);
  expect((await result(worker, "app:listInside")).jobs.map((job: Loose) => job.id)).toEqual(seen);
  expect(await code(worker, "app:list", { options: { limit: 0 } })).toBe("JOB_INVALID");
});

test("a cron's time runs its jobs once, however often it is told, and again when they fail", async () => {
  const tick = async (cron: string, scheduledTime: number): Promise<number> =>
    (await worker.fetch("/tick", { method: "POST", body: JSON.stringify({ cron, scheduledTime }) })).status;
  const time = Date.now();
  expect(await tick("0 * * * *", time)).toBe(204);
  expect(await tick("0 * * * *", time)).toBe(204);
  expect(await tick("1 2 3 4 *", time)).toBe(204);
  await marked("cron mend");
  await marked("cron tidy");
  await quiet();
  expect((await marks()).filter((text) => text.startsWith("cron")).toSorted()).toEqual(["cron mend", "cron tidy"]);
});

test("at most six jobs run at once, and all of them run", async () => {
  await plan(
    "work",
    Array.from({ length: 30 }, (_, index) => ({ text: `crowd ${index};`, ms: 30 })),
    { kind: "action" },
  );
  await until(marks, (all) => all.filter((text) => text.startsWith("crowd")).length === 30);
  expect(await result(worker, "app:peak")).toBe(6);
});

test("shards forget jobs that have ended, some time after", async () => {
  await plan("mark", [{ text: "forgotten" }]);
  await marked("forgotten");
  await until(
    async () => [
      ...(await shardRows(worker, "SELECT 'remembered', id FROM __job_done")),
      ...(await schedulerRows(worker, "SELECT 'ended', * FROM ended")),
    ],
    (rows) => rows.length === 0,
  );
});

test("ten thousand jobs run once each", async () => {
  const before = (await marks()).length;
  for (let batch = 0; batch < 10; batch += 1)
    await plan(
      "mark",
      Array.from({ length: 1_000 }, (_, index) => ({ text: `many ${batch * 1_000 + index}` })),
    );
  const texts = await until(marks, (all) => all.length >= before + 10_000, 150);
  await quiet();
  const many = texts.filter((text) => text.startsWith("many"));
  expect(many).toHaveLength(10_000);
  expect(new Set(many).size).toBe(10_000);
});
