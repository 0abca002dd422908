import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, NAMESPACES, result } from "../testing/client.ts";
import { SocketClient } from "../testing/socket-client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("live"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

test("a socket connects, pushes and is told how each entry ended", async () => {
  const client = await SocketClient.connect(worker, { clientId: "c1", caps: ["batch", "unheard-of"] });
  expect(client.connectAck).toEqual({
    type: "ack",
    id: "connect",
    caps: ["batch"],
    cursor: expect.any(Number),
    epoch: expect.any(String),
    lastMutationId: 0,
  });
  const ack = await client.push("c1", [
    { clientSeq: 1, functionPath: "live:add", args: { text: "one" } },
    { clientSeq: 2, functionPath: "live:fail", args: { text: "two" } },
    { clientSeq: 3, functionPath: "live:quiet", args: { text: "three" } },
  ]);
  expect(ack).toEqual({
    type: "ack",
    id: expect.any(String),
    lastMutationId: 3,
    results: [
      { clientSeq: 1, result: expect.any(String) },
      { clientSeq: 2, error: expect.objectContaining({ code: "CONFLICT", data: { text: "two" } }) },
      { clientSeq: 3 },
    ],
  });
  expect(await result(worker, "live:list")).toEqual(["one", "three"]);
  client.send("lunora-ping");
  expect(await client.next((frame) => frame === "lunora-pong")).toBe("lunora-pong");
  client.close();
});
