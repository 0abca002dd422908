import { createServer, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isInspectorPath, leadToInspector } from "./inspector-redirect.ts";

let origin: string | undefined;
let server: Server;
let port = 0;

beforeAll(async () => {
  server = createServer((asked, response) => leadToInspector(asked, response, origin, []));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address === "object" && address !== null) port = address.port;
});

afterAll(() => server.close());

async function ask(method: string, host: string): Promise<{ status: number; answer: IncomingMessage; body: string }> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: "/__lunora/", method, headers: { host } }, resolve);
    asked.on("error", reject);
    asked.end();
  });
  let body = "";
  for await (const chunk of answer) body += String(chunk);
  return { status: answer.statusCode ?? 0, answer, body };
}

test("only the inspector's own path is its", () => {
  for (const url of ["/__lunora", "/__lunora/", "/__lunora/?x", "/__lunora#x"]) expect(isInspectorPath(url)).toBe(true);
  for (const url of [undefined, "/", "/__lunora/x", "/__lunorax", "/_lunora/", "/x/__lunora/", "//__lunora/"])
    expect(isInspectorPath(url)).toBe(false);
});

test("it leads there without a token", async () => {
  origin = "http://127.0.0.1:4000";
  const { status, answer } = await ask("GET", "localhost:5173");
  expect([status, answer.headers.location]).toEqual([302, "http://127.0.0.1:4000/"]);
  expect(answer.headers["cache-control"]).toBe("no-store");
});

test("nobody is led there under another name, by a post, or while there is none", async () => {
  origin = "http://127.0.0.1:4000";
  for (const host of ["evil.test", "evil.test:5173"])
    expect(await ask("GET", host)).toMatchObject({ status: 403, body: "" });
  expect((await ask("POST", "localhost:5173")).status).toBe(405);
  origin = undefined;
  const away = await ask("GET", "localhost:5173");
  expect(away.status).toBe(503);
  expect(away.answer.headers.location).toBeUndefined();
  expect(away.body).toContain("inspector: false");
});
