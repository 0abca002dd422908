import { newJobId } from "@lunora/runtime";
import type { JobOutcome } from "@lunora/runtime";
import { describe, expect, inject, test, vi } from "vitest";

import { Random } from "../../../do/testing/random.ts";
import { job, SimulatedScheduler, START } from "../../testing/simulated-scheduler.ts";

vi.spyOn(console, "error").mockImplementation(() => {});

const refused: JobOutcome = { ok: false, code: "CONFLICT", message: "not yet", isFinal: false };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("attempts", () => {
  test("come after growing waits, and the fifth is the last", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.run = async () => refused;
    await scheduler.engine.schedule(job("a"));
    await scheduler.advance(DAY);
    const waits = [0, 22_500, 45_000, 90_000, 180_000];
    let at = START;
    expect(scheduler.runs).toEqual(waits.map((wait) => ({ id: "a", at: (at += wait) })));
    expect(await scheduler.engine.get("a")).toEqual({
      id: "a",
      functionPath: "app:work",
      args: {},
      state: "dead",
      runAt: START,
      attempts: 5,
      error: { code: "CONFLICT", message: "not yet" },
    });
  });

  test("end with the first that works", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.run = async () => (scheduler.runs.length < 3 ? refused : { ok: true });
    await scheduler.engine.schedule(job("a", { runAt: START + HOUR }));
    await scheduler.advance(HOUR - 1);
    expect(scheduler.runs).toEqual([]);
    await scheduler.advance(DAY);
    expect(scheduler.runs.map(({ at }) => at - START - HOUR)).toEqual([0, 22_500, 67_500]);
    expect(await scheduler.engine.get("a")).toBeNull();
  });

  test("are not lost when the alarm goes off too early", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.early = 1;
    scheduler.run = async () => refused;
    await scheduler.engine.schedule(job("a", { runAt: START + 1_000 }));
    await scheduler.advance(DAY);
    expect(scheduler.runs).toHaveLength(5);
  });

  test("do not follow on a final failure", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.run = async () => ({ ok: false, code: "FUNCTION_NOT_FOUND", message: "gone", isFinal: true });
    await scheduler.engine.schedule(job("a"));
    await scheduler.advance(DAY);
    expect(scheduler.runs).toHaveLength(1);
    expect(await scheduler.engine.get("a")).toMatchObject({ state: "dead", error: { code: "FUNCTION_NOT_FOUND" } });
  });
});

test("six run at once, those that waited longest first", async () => {
  const scheduler = await new SimulatedScheduler().open();
  const ends: (() => void)[] = [];
  let most = 0;
  scheduler.run = () =>
    new Promise((resolve) => {
      ends.push(() => resolve({ ok: true }));
      most = Math.max(most, ends.length);
    });
  for (let n = 0; n < 50; n += 1) await scheduler.engine.schedule(job(`job ${n}`, { runAt: START + 50 - n }));
  await scheduler.advance(100);
  while (ends.length > 0) {
    ends.shift()?.();
    await scheduler.settle();
  }
  expect(most).toBe(6);
  expect(scheduler.runs).toHaveLength(50);
  const later = scheduler.runs.slice(6).map(({ id }) => Number(id.slice(4)));
  expect(later).toEqual(later.toSorted((one, other) => other - one));
});

describe("jobs that were given up", () => {
  test("are kept up to a number, the newest", async () => {
    const scheduler = await new SimulatedScheduler({ deadJobs: 3 }).open();
    scheduler.run = async () => ({ ...refused, isFinal: true }) as JobOutcome;
    for (let n = 0; n < 6; n += 1) {
      await scheduler.engine.schedule(job(`job ${n}`));
      await scheduler.advance(1_000);
    }
    const { jobs } = await scheduler.engine.list({ dead: true });
    expect(jobs.map(({ id }) => id)).toEqual(["job 3", "job 4", "job 5"]);
  });

  test("are kept for a time", async () => {
    const scheduler = await new SimulatedScheduler({ deadJobsMs: DAY }).open();
    scheduler.run = async () => ({ ...refused, isFinal: true }) as JobOutcome;
    await scheduler.engine.schedule(job("a"));
    await scheduler.advance(DAY - 1_000);
    expect((await scheduler.engine.list({ dead: true })).jobs).toHaveLength(1);
    await scheduler.advance(2_000);
    expect((await scheduler.engine.list({ dead: true })).jobs).toEqual([]);
  });
});

test("a job under which the process ends runs again, but not for ever", async () => {
  const scheduler = await new SimulatedScheduler({ maxInterruptions: 3 }).open();
  scheduler.run = () => new Promise(() => {});
  await scheduler.engine.schedule(job("a"));
  for (let n = 0; n < 5; n += 1) await scheduler.open();
  expect(scheduler.runs).toHaveLength(3);
  expect(await scheduler.engine.get("a")).toMatchObject({ state: "dead", error: { code: "JOB_INTERRUPTED" } });
});

describe("an admin", () => {
  const final: JobOutcome = { ...refused, isFinal: true } as JobOutcome;

  test("makes a job run now", async () => {
    const scheduler = await new SimulatedScheduler().open();
    await scheduler.engine.schedule(job("a", { runAt: START + HOUR }));
    expect(await scheduler.engine.decide("a", "retry")).toBe("waiting");
    expect(await scheduler.engine.decide("a", "runNow")).toBe("done");
    await scheduler.settle();
    expect(scheduler.runs).toEqual([{ id: "a", at: START }]);
    expect(await scheduler.engine.decide("a", "runNow")).toBe("gone");
  });

  test("cancels what neither runs nor is held", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.run = () => new Promise(() => {});
    await scheduler.engine.schedule(job("running"));
    for (const id of ["held", "waiting"]) await scheduler.engine.schedule(job(id, { runAt: START + HOUR }));
    await scheduler.engine.hold("held", "__root__", "hold");
    for (const action of ["cancel", "runNow", "retry"] as const) {
      expect(await scheduler.engine.decide("running", action)).toBe("running");
      expect(await scheduler.engine.decide("held", action)).toBe("busy");
    }
    expect(await scheduler.engine.decide("waiting", "cancel")).toBe("done");
    expect(await scheduler.engine.get("waiting")).toBeNull();
  });

  test("has a job tried again that was given up, with all its attempts", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.run = async () => refused;
    await scheduler.engine.schedule(job("a", { shard: "__root__", retry: { maxAttempts: 2 } }));
    await scheduler.advance(HOUR);
    expect(scheduler.runs).toHaveLength(2);
    for (const action of ["cancel", "runNow"] as const) expect(await scheduler.engine.decide("a", action)).toBe("dead");
    expect(await scheduler.engine.decide("a", "retry")).toBe("done");
    await scheduler.settle();
    expect(scheduler.runs.at(-1)).toEqual({ id: "a", at: START + HOUR });
    expect(await scheduler.engine.look({ cursor: null, limit: 10 })).toMatchObject({
      jobs: [{ id: "a", state: "waiting", attempt: 1, object: "__root__", lastError: { code: "CONFLICT" } }],
    });
    scheduler.run = async () => ({ ok: true });
    await scheduler.advance(HOUR);
    expect(scheduler.runs).toHaveLength(4);
    expect(await scheduler.engine.get("a")).toBeNull();
  });

  test("makes nothing happen twice: shards remember jobs that were given up for as long as they can be tried again", async () => {
    const scheduler = await new SimulatedScheduler({ deadJobsMs: 2 * DAY }).open();
    const done = new Set<string>();
    let effects = 0;
    // It happened, and the answer was lost: the last attempt as the scheduler knows it failed.
    scheduler.run = async ({ id }) => {
      if (done.has(id)) return { ok: true };
      done.add(id);
      effects += 1;
      return final;
    };
    scheduler.ask = async (_, request) => {
      if (request.kind === "forget") for (const id of request.ids) done.delete(id);
    };
    for (const id of ["tried again", "left"]) await scheduler.engine.schedule(job(id, { shard: "__root__" }));
    await scheduler.advance(DAY);
    expect([...done]).toEqual(["tried again", "left"]);
    expect(await scheduler.engine.decide("tried again", "retry")).toBe("done");
    await scheduler.advance(3 * DAY);
    expect(effects).toBe(2);
    expect([...done]).toEqual([]);
    expect(await scheduler.engine.look({ cursor: null, limit: 10 })).toEqual({ jobs: [], cursor: null, crons: [] });
  });

  test("looks at all jobs a page at a time, and at nothing for a cursor that no page had", async () => {
    const scheduler = await new SimulatedScheduler({ concurrency: 1 }).open();
    scheduler.run = async () => final;
    for (const id of ["d1", "d2", "d3"]) await scheduler.engine.schedule(job(id));
    await scheduler.advance(1_000);
    scheduler.run = () => new Promise(() => {});
    for (const id of ["j1", "j2"]) await scheduler.engine.schedule(job(id));
    await scheduler.engine.tick([{ name: "tidy", job: job("cron") }], START);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await scheduler.engine.look({ cursor, limit: 2 });
      if (page === null) throw new Error("the cursor was refused");
      expect(page.jobs.length).toBeLessThanOrEqual(2);
      expect(page.crons).toEqual([{ name: "tidy", lastAt: START }]);
      seen.push(...page.jobs.map(({ id, state }) => `${id} ${state}`));
      ({ cursor } = page);
    } while (cursor !== null);
    expect(seen).toEqual(["cron waiting", "j1 running", "j2 waiting", "d1 dead", "d2 dead", "d3 dead"]);
    expect(await scheduler.engine.look({ cursor: "elsewhere", limit: 2 })).toBeNull();
  });
});

test("an id that names a shard which never was is asked about nowhere", async () => {
  const scheduler = await new SimulatedScheduler().open();
  const asked: string[] = [];
  scheduler.ask = async (shard) => void asked.push(shard);
  scheduler.isShard = async (name) => name === "__root__";
  for (const shard of ["room=never", "__root__"]) {
    const id = newJobId(shard);
    expect(await scheduler.engine.cancel(id)).toBe("gone");
    expect(await scheduler.engine.get(id)).toBeNull();
    expect(await scheduler.engine.hold(id, "room=other", "hold")).toBe("gone");
    expect(await scheduler.engine.decide(id, "cancel")).toBe("gone");
  }
  expect(new Set(asked)).toEqual(new Set(["__root__"]));
});

describe("what a shard hands over", () => {
  const source = { shard: "__root__", timeline: "one" };
  const entry = (seq: number) => ({ seq, kind: "run", job: job(`job ${seq}`) }) as const;

  test("counts once, however often and late it comes", async () => {
    const scheduler = await new SimulatedScheduler().open();
    await scheduler.engine.take(source, [entry(1), entry(2)]);
    await scheduler.advance(3 * DAY);
    await scheduler.open();
    await scheduler.engine.take(source, [entry(1), entry(2), entry(3)]);
    await scheduler.advance(DAY);
    expect(scheduler.runs.map(({ id }) => id)).toEqual(["job 1", "job 2", "job 3"]);
  });

  test("counts anew on another timeline, and from another shard", async () => {
    const scheduler = await new SimulatedScheduler().open();
    await scheduler.engine.take(source, [entry(5)]);
    await scheduler.engine.take({ ...source, timeline: "two" }, [entry(1)]);
    await scheduler.engine.take({ shard: "room=a", timeline: "one" }, [entry(2)]);
    await scheduler.advance(1);
    expect(scheduler.runs.map(({ id }) => id)).toEqual(["job 5", "job 1", "job 2"]);
  });
});

describe("a hold", () => {
  test("that nobody decides is asked about, and then released", async () => {
    const scheduler = await new SimulatedScheduler().open();
    const asked: string[] = [];
    scheduler.ask = async (shard, { kind }) => void asked.push(`${shard} ${kind}`);
    await scheduler.engine.schedule(job("a", { runAt: START + 1_000 }));
    expect(await scheduler.engine.hold("a", "room=b", "hold")).toBe("held");
    expect(await scheduler.engine.hold("a", "room=c", "other")).toBe("busy");
    expect(await scheduler.engine.cancel("a")).toBe("busy");
    await scheduler.advance(29_000);
    expect(scheduler.runs).toEqual([]);
    await scheduler.advance(2_000);
    expect(asked).toEqual(["room=b settle"]);
    expect(scheduler.runs).toEqual([{ id: "a", at: START + 30_000 }]);
  });

  test("lasts while its shard cannot be asked", async () => {
    const scheduler = await new SimulatedScheduler().open();
    scheduler.ask = async () => {
      throw new Error("away");
    };
    await scheduler.engine.schedule(job("a", { runAt: START + 1_000 }));
    await scheduler.engine.hold("a", "room=b", "hold");
    await scheduler.advance(HOUR);
    expect(scheduler.runs).toEqual([]);
    await scheduler.engine.take({ shard: "room=b", timeline: "one" }, [
      { seq: 1, kind: "cancel", id: "a", hold: "hold" },
    ]);
    await scheduler.advance(HOUR);
    expect(scheduler.runs).toEqual([]);
    expect(await scheduler.engine.get("a")).toBeNull();
  });
});

test("a cron's time counts once for each name, and none before it", async () => {
  const scheduler = await new SimulatedScheduler().open();
  const tick = (time: number, ...names: string[]): Promise<void> =>
    scheduler.engine.tick(
      names.map((name) => ({ name, job: job(`cron:${name}:${time}`, { runAt: time }) })),
      time,
    );
  await tick(START, "a", "b");
  await scheduler.advance(1_000);
  await tick(START, "a", "b", "c");
  await tick(START - 60_000, "a");
  await tick(START + 60_000, "a");
  await scheduler.advance(HOUR);
  expect(scheduler.runs.map(({ id }) => id)).toEqual(
    [`a:${START}`, `b:${START}`, `c:${START}`, `a:${START + 60_000}`].map((text) => `cron:${text}`),
  );
});

test("answers that are lost, crashes and days between: a mutation happens once, and is forgotten in the end", async () => {
  const random = new Random(inject("seed"));
  const scheduler = new SimulatedScheduler({
    maxInterruptions: 1_000,
    retry: { maxAttempts: 50, baseMs: 1, maxMs: DAY },
  });
  scheduler.random = () => random.fraction();
  /** What the shards remember, and how often each job happened. */
  const done = new Set<string>();
  const counts = new Map<string, number>();
  scheduler.run = async ({ id }) => {
    for (let turns = random.below(4); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.2)) return refused;
    if (!done.has(id)) {
      done.add(id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    // It happened, and nobody hears of it.
    return random.chance(0.3) ? { ok: false, code: "SHARD_ERROR", message: "lost", isFinal: false } : { ok: true };
  };
  scheduler.ask = async (_, request) => {
    if (random.chance(0.3)) throw new Error("away");
    if (request.kind === "forget") for (const id of request.ids) done.delete(id);
  };
  await scheduler.open();
  const entries: { seq: number; kind: "run"; job: ReturnType<typeof job> }[] = [];
  for (let step = 0; step < 150; step += 1) {
    if (random.chance(0.5)) {
      const seq = entries.length + 1;
      const runAt = scheduler.now + random.below(3) * DAY;
      entries.push({ seq, kind: "run", job: job(`job ${seq}`, { shard: "__root__", runAt }) });
    }
    // From any place that was not confirmed before, as after a crash of the shard.
    const from = random.below(entries.length + 1);
    await scheduler.engine.take(
      { shard: "__root__", timeline: "one" },
      entries.slice(Math.min(from, entries.length - 1)),
    );
    if (from > 0) await scheduler.engine.take({ shard: "__root__", timeline: "one" }, entries);
    if (random.chance(0.3)) await scheduler.open();
    await scheduler.advance(random.chance(0.1) ? random.below(2 * DAY) : random.below(1_000));
  }
  await scheduler.advance(400 * DAY);
  expect(scheduler.sqlite.exec("SELECT id FROM jobs").toArray()).toEqual([]);
  expect((await scheduler.engine.list({ dead: true })).jobs).toEqual([]);
  expect(entries.map(({ job: { id } }) => [id, counts.get(id)])).toEqual(entries.map(({ job: { id } }) => [id, 1]));
  expect([...done]).toEqual([]);
}, 60_000);
