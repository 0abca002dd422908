import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { ALL_GLOBAL, appEntry, call, NAMESPACES, read, step } from "../testing/client.ts";
import { Random } from "../testing/random.ts";
import { applyStep, copyState, emptyState, hasDuplicates, ModelError, randomStep } from "../testing/store-model.ts";
import type { ModelStep, State } from "../testing/store-model.ts";
import { TestWorker } from "../testing/workerd.ts";
import type { Loose } from "../testing/loose.ts";

describe.each([
  { place: "a shard", options: {}, checks: true },
  { place: "D1", options: ALL_GLOBAL, checks: false },
])("rows in $place", ({ options: started, checks }) => {
  const random = new Random(inject("seed"));
  const MUTATIONS = 120;

  let worker: TestWorker;

  beforeAll(async () => {
    worker = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES, ...started });
  });

  afterAll(() => worker?.stop());

  const TABLES = ["users", "posts", "comments", "invoices"] as const;

  async function stored(): Promise<State> {
    const tables = await read(worker, ...TABLES.map((table) => step(table, "findMany")));
    const state = emptyState();
    TABLES.forEach((table, index) => {
      for (const { _id, _creationTime, ...row } of tables[index]) state[table].set(_id, row);
    });
    return state;
  }

  /** Ids that exist only once the mutation has run: `ref:<step>` or `ref:<step>:<place>`. */
  function withReferences(value: Loose): Loose {
    if (typeof value === "string" && value.startsWith("ref:")) return { $ref: Number(value.split(":")[1]) };
    if (Array.isArray(value)) return value.map(withReferences);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withReferences(item)]));
  }

  function withIds(state: State, results: Loose[]): State {
    const real = (value: Loose): Loose => {
      if (typeof value !== "string" || !value.startsWith("ref:")) return value;
      const [, index, place] = value.split(":");
      const answer = results[Number(index)];
      return place === undefined ? answer : answer[Number(place)];
    };
    return Object.fromEntries(
      Object.entries(state).map(([table, rows]) => [
        table,
        new Map(
          [...rows].map(([id, row]) => [
            real(id),
            Object.fromEntries(Object.entries(row).map(([field, value]) => [field, real(value)])),
          ]),
        ),
      ]),
    ) as State;
  }

  test("random mutations do what a plain model does, and one that throws anywhere does nothing", async () => {
    let model = emptyState();
    let refusals = 0;
    for (let round = 0; round < MUTATIONS; round += 1) {
      const next = copyState(model);
      const steps: ModelStep[] = [];
      const outcomes: (string | null)[] = [];
      let failure: string | undefined;
      for (let count = random.below(8) + 1; count > 0 && failure === undefined; count -= 1) {
        const index = steps.length;
        // Rows of lists have no reference, so later steps of the same mutation leave them alone.
        const visible = copyState(next);
        for (const rows of Object.values(visible))
          for (const id of rows.keys()) if (/^ref:\d+:/.test(id)) rows.delete(id);
        const chosen = randomStep(random, visible);
        steps.push(chosen);
        try {
          applyStep(
            next,
            chosen,
            (place) => (chosen.method === "insertMany" ? `ref:${index}:${place}` : `ref:${index}`),
            checks,
          );
          outcomes.push(null);
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          refusals += 1;
          outcomes.push(error.code);
          if (!chosen.caught) failure = error.code;
        }
      }
      const sent = steps.map(({ table, method, args, caught }) => ({
        table,
        method,
        args: withReferences(args),
        caught,
      }));
      const label = JSON.stringify(sent);

      // Thrown on purpose before each step, and after the last: all or nothing.
      const throwAt = random.below(sent.length + 1);
      const thrown = await call(worker, "store:write", { steps: sent, throwAt });
      expect(thrown.error?.code, label).toBe(
        failure !== undefined && outcomes.length <= throwAt ? failure : "INTERNAL",
      );
      expect(await stored(), label).toEqual(model);

      // D1 tells of duplicates when the mutation has ended.
      if (!checks && failure === undefined && hasDuplicates(next)) {
        failure = "NOT_UNIQUE";
        refusals += 1;
      }
      const answer = await call(worker, "store:write", { steps: sent });
      expect(answer.error?.code, label).toBe(failure);
      const seen = outcomes.map((outcome, index) =>
        outcome === null || answer.error !== undefined ? outcome : answer.result[index].caught,
      );
      expect(seen, label).toEqual(outcomes);
      if (failure === undefined) {
        model = withIds(next, answer.result);
      }
      expect(await stored(), label).toEqual(model);
      if (round % 40 === 39) await worker.restart();
    }
    // A run that never met a rule would prove little.
    expect(refusals).toBeGreaterThan(10);
  });

  test("a mutation that throws at any of its steps leaves nothing", async () => {
    const before = await stored();
    const steps = [
      step("users", "insert", { email: "all@x", name: "all" }),
      step("posts", "insert", { authorId: { $ref: 0 }, title: "t" }),
      step("comments", "insert", { postId: { $ref: 1 }, body: "b" }),
      step("users", "patch", { $ref: 0 }, { nick: "all" }),
      step("posts", "delete", { $ref: 1 }),
      step("audited", "insert", { name: "all" }),
      step("users", "delete", { $ref: 0 }),
    ];
    for (let throwAt = 0; throwAt <= steps.length; throwAt += 1) {
      expect((await call(worker, "store:write", { steps, throwAt })).error?.code).toBe("INTERNAL");
      expect(await stored()).toEqual(before);
      expect(await read(worker, step("audited", "count"), step("log", "count"))).toEqual([0, 0]);
    }
  });
});
