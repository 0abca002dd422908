// Every way to an object of a pinned app, on every namespace that does not keep the jurisdiction.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { PATHS } from "@lunora/protocol";

import { appEntry, call, code, NAMESPACES, result } from "../../do/testing/client.ts";
import { SocketClient } from "../../do/testing/socket-client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import type { Loose } from "../../do/testing/loose.ts";

const ADMIN_TOKEN = "an-admin-of-the-tests";
const FAULTS = ["missing", "throwing", "undefined", "promise", "no namespace", "itself", "unpinned"];

let worker: TestWorker;
let fresh = 0;

type Headers = Readonly<Record<string, string>>;

async function post(path: string, body: unknown, headers: Headers): Promise<Loose> {
  const response = await worker.fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return response.json();
}

async function get(path: string, headers: Headers = {}): Promise<Loose> {
  return (await worker.fetch(path, { headers })).json();
}

/** The body of an upgrade that is not one. */
function upgrade(path: string, headers: Headers): Promise<Loose> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(worker.origin.replace("http", "ws") + path, { headers });
    socket.once("open", () => reject(new Error("the socket opened")));
    socket.once("unexpected-response", (_, response) => {
      response.setEncoding("utf8").once("data", (text: string) => resolve(JSON.parse(text)));
    });
  });
}

/** The code that each way answers with. A new way to objects is one line here. */
const WAYS: Readonly<Record<string, (headers: Headers) => Promise<string>>> = {
  query: (headers) => code(worker, "pinned:read", {}, { headers }),
  mutation: (headers) => code(worker, "pinned:write", { text: "x" }, { headers }),
  shard: (headers) => code(worker, "pinned:add", { room: "a" }, { headers }),
  "fan-out": (headers) => code(worker, "pinned:all", {}, { headers }),
  action: (headers) => code(worker, "pinned:act", {}, { headers }),
  batch: async (headers) => {
    const calls = [{ id: "1", functionPath: "pinned:read", args: {} }];
    return (await post("/_lunora/rpc-batch", { calls }, headers)).results[0].body.error.code;
  },
  registry: async (headers) => (await get("/_lunora/health/ready", headers)).error.code,
  socket: async (headers) => (await upgrade("/_lunora/ws", headers)).error.code,
  presence: async (headers) => (await upgrade(`${PATHS.presence}?path=rooms%3Aroom&room=a`, headers)).error.code,
  scheduler: (headers) => code(worker, "pinned:plan", {}, { headers }),
  admin: async (headers) =>
    (await get("/_lunora/admin/info", { ...headers, authorization: `Bearer ${ADMIN_TOKEN}` })).error.code,
};

const touched = async (): Promise<number> => (await (await worker.fetch("/touched")).json()) as number;
const inside = (fault: string): Promise<unknown> => worker.fetch(`/inside?fault=${encodeURIComponent(fault)}`);

beforeAll(async () => {
  const outer = [
    ...NAMESPACES,
    { binding: "SESSION", className: "SessionDO" },
    { binding: "SCHEDULER", className: "SchedulerDO" },
  ];
  const inner = outer.map(({ binding, className }) => ({ binding: `EU_${binding}`, className: `Eu${className}` }));
  worker = await TestWorker.start({
    entry: appEntry("pinned"),
    namespaces: [...outer, ...inner],
    variables: { LUNORA_ADMIN_TOKEN: ADMIN_TOKEN },
  });
});

afterAll(() => worker?.stop());

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.each(FAULTS)("a namespace whose `jurisdiction` is `%s`", (fault) => {
  test.each(Object.keys(WAYS))("%s is refused before any object is reached", async (path) => {
    await touched();
    const reach = WAYS[path] as (typeof WAYS)[string];
    expect(await reach({ "x-test-fault": fault })).toBe("JURISDICTION_UNAVAILABLE");
    expect(await touched()).toBe(0);
  });

  test("a shard that meets it inside does not open a transaction, and does once it is whole", async () => {
    await touched();
    fresh += 1;
    const args = { room: `fresh ${fresh}` };
    await inside(fault);
    expect(await code(worker, "pinned:add", args)).toBe("JURISDICTION_UNAVAILABLE");
    await inside("none");
    expect(await result(worker, "pinned:list", args)).toEqual([]);
    await result(worker, "pinned:add", args);
    expect(await result(worker, "pinned:list", args)).toHaveLength(1);
    expect(await touched()).toBe(0);
  });
});

// Each waits for the next attempt of the outbox, so one refusal of each kind has to do.
test.each(["throwing", "unpinned"])("what a shard schedules with `%s` waits until it is whole", async (fault) => {
  await touched();
  fresh += 1;
  const args = { room: `fresh ${fresh}`, text: `scheduled ${fresh}` };
  await result(worker, "pinned:add", { room: args.room });
  worker.takeOutput();
  await inside(fault);
  await result(worker, "pinned:later", args);
  await until(async () => worker.takeOutput().includes("cannot be restricted"));
  expect(await result(worker, "pinned:read")).not.toContainEqual(expect.objectContaining({ text: args.text }));
  await inside("none");
  await until(async () => (await result(worker, "pinned:read")).some((row: Loose) => row.text === args.text));
  expect(await touched()).toBe(0);
});

test("on a platform that keeps it every way works, inside alone", async () => {
  await touched();
  await result(worker, "pinned:write", { text: "x" });
  await result(worker, "pinned:add", { room: "whole" });
  expect((await call(worker, "pinned:all")).status).toBe(200);
  expect((await result(worker, "pinned:read")).length).toBeGreaterThan(0);
  await result(worker, "pinned:act");
  expect((await worker.fetch("/_lunora/health/ready")).status).toBe(200);
  const socket = await SocketClient.open(worker);
  socket.close();
  expect(await touched()).toBe(0);
});
