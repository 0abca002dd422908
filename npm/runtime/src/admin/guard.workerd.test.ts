import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { TOKEN, TRANSFER_NAMESPACES } from "../../../do/testing/admin-client.ts";
import { appEntry, result } from "../../../do/testing/client.ts";
import { TestWorker } from "../../../do/testing/workerd.ts";
import type { Loose } from "../../../do/testing/loose.ts";

async function start(token?: string): Promise<TestWorker> {
  return TestWorker.start({
    entry: appEntry("transfer"),
    namespaces: TRANSFER_NAMESPACES,
    variables: token === undefined ? {} : { LUNORA_ADMIN_TOKEN: token },
  });
}

async function answer(
  worker: TestWorker,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; error: Loose }> {
  const response = await worker.fetch(path, init);
  const text = await response.text();
  return { status: response.status, error: text === "" ? undefined : (JSON.parse(text) as Loose).error };
}

const INFO = "/_lunora/admin/info";

describe("with a token", () => {
  let worker: TestWorker;
  beforeAll(async () => {
    worker = await start(TOKEN);
  });
  afterAll(() => worker?.stop());

  test("the bearer gets in", async () => {
    await result(worker, "t:write", { steps: [["schedule", 1e9]] });
    // The shard hands it over when it has committed.
    let info: Loose;
    do {
      const response = await worker.fetch(INFO, { headers: { authorization: `Bearer ${TOKEN}` } });
      expect(response.status).toBe(200);
      info = (await response.json()) as Loose;
    } while (info.scheduledJobs.count === 0);
    expect(info.scheduledJobs).toEqual({ count: 1, hasMore: false });
    expect(info.tables.messages).toEqual({
      tier: "shardBy",
      field: "room",
      ids: [[["reply"], "messages"]],
    });
  });

  test("nobody else does", async () => {
    const wrong = [
      {},
      { authorization: TOKEN },
      { authorization: "Bearer" },
      { authorization: `Basic ${btoa(`admin:${TOKEN}`)}` },
      { authorization: `Bearer ${TOKEN.slice(0, -1)}` },
      { authorization: `Bearer ${TOKEN}x` },
      { authorization: `Bearer ${TOKEN.slice(0, -1)}X` },
      { authorization: `Bearer ${TOKEN.toUpperCase()}` },
      { authorization: `Bearer ${TOKEN} ${TOKEN}` },
      { cookie: `LUNORA_ADMIN_TOKEN=${TOKEN}; token=${TOKEN}` },
      { "x-lunora-admin-token": TOKEN },
    ];
    for (const headers of wrong as Record<string, string>[]) {
      const { status, error } = await answer(worker, INFO, { headers });
      expect([status, error.code], JSON.stringify(headers)).toEqual([401, "UNAUTHORIZED"]);
      expect(JSON.stringify(error)).not.toContain(TOKEN);
    }
    for (const query of [`?token=${TOKEN}`, `?LUNORA_ADMIN_TOKEN=${TOKEN}`, `?access_token=${TOKEN}`])
      expect((await answer(worker, INFO + query)).status).toBe(401);
  });

  test("names and methods are told to admins only", async () => {
    expect((await answer(worker, "/_lunora/admin/nothing")).status).toBe(401);
    expect((await answer(worker, INFO, { method: "POST" })).status).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await answer(worker, "/_lunora/admin/nothing", { headers })).error.code).toBe("NOT_FOUND");
    expect((await answer(worker, "/_lunora/admin/constructor", { headers })).error.code).toBe("NOT_FOUND");
    expect((await answer(worker, INFO, { method: "DELETE", headers })).error.code).toBe("METHOD_NOT_ALLOWED");
  });
});

test.each([undefined, "", "fifteen-letters"])("with the token %j nothing is there, for nobody", async (token) => {
  const worker = await start(token);
  try {
    const nowhere = await answer(worker, "/_lunora/elsewhere");
    for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
      for (const headers of [{}, { authorization: `Bearer ${token ?? ""}` }]) {
        const { status, error } = await answer(worker, INFO, { method, headers });
        expect(status).toBe(nowhere.status);
        expect(error).toEqual({ ...nowhere.error, message: nowhere.error.message.replace("/_lunora/elsewhere", INFO) });
      }
    }
    const said = worker.takeOutput().split("LUNORA_ADMIN_TOKEN").length - 1;
    expect(said).toBe(token === "fifteen-letters" ? 1 : 0);
    expect(worker.takeOutput()).not.toContain("fifteen-letters");
  } finally {
    await worker.stop();
  }
});
