// Every way to an object of a pinned app, on every namespace that does not keep the jurisdiction.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { appEntry, call, code, NAMESPACES, result } from "../../do/testing/client.ts";
import { SocketClient } from "../../do/testing/socket-client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import type { Loose } from "../../do/testing/loose.ts";

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

/** The body of an upgrade that is not one. */
function upgrade(headers: Headers): Promise<Loose> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${worker.origin.replace("http", "ws")}/_lunora/ws`, { headers });
    socket.once("open", () => reject(new Error("the socket opened")));
    socket.once("unexpected-response", (_, response) => {
      response.setEncoding("utf8").once("data", (text: string) => resolve(JSON.parse(text)));
    });
  });
}

/** The code that each way answers with. A new way to objects is one line here. */
const PATHS: Readonly<Record<string, (headers: Headers) => Promise<string>>> = {
  query: (headers) => code(worker, "pinned:read", {}, { headers }),
  mutation: (headers) => code(worker, "pinned:write", { text: "x" }, { headers }),
  shard: (headers) => code(worker, "pinned:add", { room: "a" }, { headers }),
  "fan-out": (headers) => code(worker, "pinned:all", {}, { headers }),
  action: (headers) => code(worker, "pinned:act", {}, { headers }),
  batch: async (headers) => {
    const calls = [{ id: "1", functionPath: "pinned:read", args: {} }];
    return (await post("/_lunora/rpc-batch", { calls }, headers)).results[0].body.error.code;
  },
  registry: async (headers) =>
    ((await (await worker.fetch("/_lunora/health/ready", { headers })).json()) as Loose).error.code,
  socket: async (headers) => (await upgrade(headers)).error.code,
};

const touched = async (): Promise<number> => (await (await worker.fetch("/touched")).json()) as number;
const inside = (fault: string): Promise<unknown> => worker.fetch(`/inside?fault=${encodeURIComponent(fault)}`);

beforeAll(async () => {
  const inner = NAMESPACES.map(({ binding, className }) => ({ binding: `EU_${binding}`, className: `Eu${className}` }));
  worker = await TestWorker.start({ entry: appEntry("pinned"), namespaces: [...NAMESPACES, ...inner] });
});

afterAll(() => worker?.stop());

describe.each(FAULTS)("a namespace whose `jurisdiction` is `%s`", (fault) => {
  test.each(Object.keys(PATHS))("%s is refused before any object is reached", async (path) => {
    await touched();
    const reach = PATHS[path] as (typeof PATHS)[string];
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
