import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { TOKEN } from "../../../do/testing/admin-client.ts";
import { result } from "../../../do/testing/client.ts";
import { allPages, inspectApp, refusal, startInspected } from "../../../do/testing/inspect-client.ts";
import type { Loose } from "../../../do/testing/loose.ts";
import type { TestWorker } from "../../../do/testing/workerd.ts";

const OPERATIONS = [
  "shards",
  "shard",
  "oplog",
  "rows",
  "row",
  "edit",
  "clients",
  "shapes",
  "why",
  "policies",
  "run",
  "jobs",
  "job",
  "fault",
] as const;

let worker: TestWorker;
beforeAll(async () => {
  worker = await startInspected();
});
afterAll(() => worker?.stop());

interface Sent {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly type?: string;
  readonly body?: string;
}

async function send(
  operation: string,
  { method = "POST", token = TOKEN, type = "application/json", body = "{}" }: Sent,
): Promise<[number, string]> {
  const response = await worker.fetch(`/_lunora/admin/inspect/${operation}`, {
    method,
    headers: { "content-type": type, ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
    ...(method === "GET" ? {} : { body }),
  });
  return [response.status, ((await response.json()) as Loose).error?.code];
}

test.each(OPERATIONS)("`%s` is for admins only, and takes one JSON object", async (operation) => {
  expect(await send(operation, { token: "" })).toEqual([401, "UNAUTHORIZED"]);
  expect(await send(operation, { token: `${TOKEN}x` })).toEqual([401, "UNAUTHORIZED"]);
  expect(await send(operation, { method: "GET" })).toEqual([405, "METHOD_NOT_ALLOWED"]);
  expect(await send(operation, { type: "text/plain" })).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
  for (const body of ["", "{", "[]", "null", '"text"', "5"])
    expect(await send(operation, { body }), body).toEqual([400, "BAD_REQUEST"]);
});

test("there is nothing else", async () => {
  for (const name of ["", "nothing", "constructor", "shards/", "SHARDS", "inspect/shards"])
    expect(await send(name, {}), name).toEqual([404, "NOT_FOUND"]);
});

test("policies are told by table and operation, with the functions and shapes that ask them", async () => {
  const { policies, unread } = await inspectApp(worker, "policies", {});
  expect(unread).toEqual([]);
  const of = (table: string, on: string): Loose =>
    policies.find((policy: Loose) => policy.table === table && policy.on === on);
  expect(policies).toHaveLength(5 * 4);
  expect(of("notes", "delete")).toMatchObject({ shapes: [] });
  expect(of("notes", "delete").functions).toContain("app:note");
  expect(of("notes", "read").shapes).toContain("notesFrom");
  expect(of("people", "read").functions).not.toContain("app:plan");
});

describe("jobs", () => {
  const plan = (text: string, more: object): Promise<string> =>
    result(worker, "app:plan", { target: "note", args: { text, times: 1 }, delay: 3_600_000, ...more });
  const look = (id: string): Promise<Loose> =>
    allPages(worker, "jobs", { limit: 2 }, "jobs").then((jobs) => jobs.find((job) => job.id === id));
  const decide = (id: string, action: string): Promise<Loose> => inspectApp(worker, "job", { id, action });
  /** Looks until the job is as it has to be. */
  const become = async (id: string, isRight: (job: Loose) => boolean): Promise<Loose> => {
    for (;;) {
      const job = await look(id);
      if (isRight(job)) return job;
    }
  };
  const texts = async (): Promise<string[]> =>
    (await inspectApp(worker, "oplog", { object: "__root__" })).entries.map(({ after }: Loose) => after.text);

  test("none where nothing was scheduled, and crons with their times", async () => {
    expect(await inspectApp(worker, "jobs", {})).toEqual({
      jobs: [],
      crons: [
        {
          name: "tidy",
          expression: "5 * * * *",
          functionPath: "app:note",
          args: { text: "tidy", times: 1 },
          lastAt: null,
        },
      ],
      cursor: null,
    });
  });

  test("are cancelled, or run now", async () => {
    const [away, now] = [await plan("cancelled", {}), await plan("hastened", {})];
    expect(await become(away, (job) => job !== undefined)).toEqual({
      id: away,
      functionPath: "app:note",
      args: { text: "cancelled", times: 1 },
      state: "waiting",
      dueAt: expect.any(Number),
      attempt: 0,
      object: "__root__",
    });
    expect(await refusal(worker, "job", { id: away, action: "retry" })).toBe("CONFLICT");
    expect(await decide(away, "cancel")).toEqual({});
    expect(await decide(now, "runNow")).toEqual({});
    await become(now, (job) => job === undefined);
    expect(await texts()).toContain("hastened");
    expect(await look(away)).toBeUndefined();
    for (const action of ["cancel", "runNow", "retry"])
      expect(await refusal(worker, "job", { id: now, action })).toBe("NOT_FOUND");
    expect(await texts()).not.toContain("cancelled");
  });

  test("that were given up are tried again", async () => {
    const id = await plan("", { args: { text: "failing", times: 1, fails: "coded" }, delay: 0 });
    const job = await become(id, (candidate) => candidate?.state === "dead");
    expect(job).toMatchObject({ attempt: 1, lastError: { code: "CONFLICT", message: "not now" } });
    for (const action of ["cancel", "runNow"]) expect(await refusal(worker, "job", { id, action })).toBe("CONFLICT");
    expect(await decide(id, "retry")).toEqual({});
    expect(await become(id, (candidate) => candidate?.state === "dead")).toMatchObject({ attempt: 1 });
  });

  test("of bad questions are refused", async () => {
    for (const body of [{ limit: 0 }, { limit: 201 }, { limit: "5" }, { cursor: 5 }, { cursor: "elsewhere" }])
      expect(await refusal(worker, "jobs", body), JSON.stringify(body)).toBe("BAD_REQUEST");
    for (const body of [
      {},
      { id: "x" },
      { action: "cancel" },
      { id: 5, action: "cancel" },
      { id: "x", action: "stop" },
    ])
      expect(await refusal(worker, "job", body), JSON.stringify(body)).toBe("BAD_REQUEST");
    expect(await refusal(worker, "job", { id: "nonsense", action: "cancel" })).toBe("NOT_FOUND");
  });
});
