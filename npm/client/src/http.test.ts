/// <reference types="node" />
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { functionReference } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";
import { describe, expect, it } from "vitest";

import { LunoraClient } from "./index.ts";

const echo = functionReference<FunctionReference<"mutation", { n: bigint }, bigint, "public">>("a:echo", "mutation", {
  kind: "root",
});

/** Runs a server on a free port for as long as the test needs it. */
async function withServer(listener: RequestListener, test: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("over real HTTP, with the host's fetch, clock and randomness", () => {
  it("survives a connection that is cut in the request and in the answer", async () => {
    const ids: unknown[] = [];
    await withServer(
      (request, response) => {
        ids.push(request.headers["x-lunora-mutation-id"]);
        if (ids.length === 1) {
          request.socket.destroy();
          return;
        }
        let text = "";
        request.on("data", (chunk) => (text += chunk));
        request.on("end", () => {
          const answer = JSON.stringify({ result: JSON.parse(text).args.n });
          response.writeHead(200, { "content-type": "application/json", "content-length": String(answer.length) });
          if (ids.length === 2) {
            response.write(answer.slice(0, 5), () => request.socket.destroy());
            return;
          }
          response.end(answer);
        });
      },
      async (url) => {
        const client = new LunoraClient({ url, retry: { initialDelayMs: 1, maxDelayMs: 2 } });
        await expect(client.mutation(echo, { n: 2n ** 70n })).resolves.toBe(2n ** 70n);
      },
    );
    expect(ids).toHaveLength(3);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(new Set(ids).size).toBe(1);
  });

  it("aborts a call that hangs, and the pause between two attempts", async () => {
    await withServer(
      () => {},
      async (url) => {
        const controller = new AbortController();
        const call = new LunoraClient({ url }).mutation(echo, { n: 1n }, { signal: controller.signal });
        controller.abort(new Error("enough"));
        await expect(call).rejects.toThrow("enough");
      },
    );
    const controller = new AbortController();
    const waiting = new LunoraClient({
      url: "http://x.invalid",
      fetch: async () => {
        queueMicrotask(() => setTimeout(() => controller.abort(new Error("tired"))));
        throw new TypeError("fetch failed");
      },
      retry: { initialDelayMs: 1e9, maxDelayMs: 1e9 },
    });
    await expect(waiting.mutation(echo, { n: 1n }, { signal: controller.signal })).rejects.toThrow("tired");
  });

  it("says which server cannot be reached", async () => {
    let closed = "";
    await withServer(
      () => {},
      async (url) => {
        closed = url;
      },
    );
    const client = new LunoraClient({ url: closed, retry: { attempts: 2, initialDelayMs: 1 } });
    await expect(client.mutation(echo, { n: 1n })).rejects.toMatchObject({
      code: "NETWORK_FAILED",
      message: expect.stringContaining(closed),
    });
  });
});
