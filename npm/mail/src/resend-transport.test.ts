import { createServer } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createMailer } from "./mailer.ts";
import { createResendTransport } from "./resend-transport.ts";

const KEY = "re_canary_5f2b9c";

interface Received {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let url: string;
let received: Received[] = [];
/** Status, headers and body of the next answer; `null` never answers. */
let answer: [number, Record<string, string>, string] | null;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      received.push({ method: request.method, headers: request.headers, body });
      if (answer !== null) response.writeHead(answer[0], answer[1]).end(answer[2]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/emails`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  answer = [200, {}, JSON.stringify({ id: "49a3999c" })];
});

const mailer = (timeoutMs?: number): ReturnType<typeof createMailer> =>
  createMailer({
    from: "App <app@example.com>",
    transport: createResendTransport(KEY, { url, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
  });
const mail = { to: "ada@example.com", subject: "Hello", text: "Hello" };

test("a mail is posted as Resend takes it", async () => {
  const sent = await mailer().send({
    to: [{ address: "ada@example.com", name: 'Lovelace, "Ada"' }, "Bob Ö <bob@example.com>"],
    cc: "carol@example.com",
    replyTo: "help@example.com",
    subject: "Hello",
    html: "<b>Hello</b>",
    headers: { "X-Note": "1" },
    attachments: [{ filename: "a.txt", content: "hé", contentType: "text/plain", contentId: "a" }],
  });
  expect(sent).toEqual({ id: "49a3999c" });
  expect(received).toMatchObject([
    { method: "POST", headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" } },
  ]);
  expect(JSON.parse(received[0]?.body ?? "")).toEqual({
    from: "App <app@example.com>",
    to: ['"Lovelace, \\"Ada\\"" <ada@example.com>', "Bob Ö <bob@example.com>"],
    cc: ["carol@example.com"],
    reply_to: ["help@example.com"],
    subject: "Hello",
    html: "<b>Hello</b>",
    headers: { "X-Note": "1" },
    attachments: [{ filename: "a.txt", content: "aMOp", content_type: "text/plain", content_id: "a" }],
  });
});

test("a large file is encoded in pieces", async () => {
  const content = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
  await mailer().send({ ...mail, attachments: [{ filename: "a", content }] });
  const [file] = (JSON.parse(received[0]?.body ?? "") as { attachments: { content: string }[] }).attachments;
  expect(Buffer.from(file?.content ?? "", "base64").equals(content)).toBe(true);
});

describe("an answer that is no success", () => {
  test.each([
    [401, {}, JSON.stringify({ name: "validation_error", message: `API key ${KEY} is invalid` }), "validation_error"],
    [422, {}, JSON.stringify({ name: `Bearer ${KEY}` }), null],
    [429, {}, JSON.stringify({ name: "rate_limit_exceeded" }), "rate_limit_exceeded"],
    [500, {}, "<html>oops</html>", null],
    [503, {}, "", null],
    [302, { location: "http://127.0.0.1:1/steal" }, "", null],
    [200, {}, "{}", null],
    [200, {}, "null", null],
    [200, {}, "no json", null],
    [200, {}, JSON.stringify({ id: 42 }), null],
  ])("%i %j %s", async (status, headers, body, name) => {
    answer = [status, headers, body];
    const error: Error & { cause?: unknown } = await mailer()
      .send(mail)
      .then(
        () => expect.unreachable(),
        (thrown: Error) => thrown,
      );
    expect(error).toMatchObject({
      code: "MAIL_NOT_SENT",
      status: 502,
      data: { provider: "resend", status, error: name },
    });
    expect(received).toHaveLength(1);
    expect([error.cause, JSON.stringify(error), error.stack].join(" ")).not.toMatch(/canary|steal|oops/);
  });
});

test("a provider that does not answer is given up", async () => {
  answer = null;
  await expect(mailer(50).send(mail)).rejects.toMatchObject({
    code: "MAIL_NOT_SENT",
    message: "Resend did not answer within 50 ms",
    data: { provider: "resend", status: null, error: null },
  });
});

test("a provider that cannot be reached is told without what was asked", async () => {
  const transport = createResendTransport(KEY, {
    fetch: (address, init) => Promise.reject(new Error(`fetch ${address} ${JSON.stringify(init)}`)),
  });
  const error: Error = await createMailer({ from: "app@example.com", transport })
    .send(mail)
    .then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    );
  expect(error).toMatchObject({ code: "MAIL_NOT_SENT", message: "Resend cannot be reached" });
  expect([error.cause, error.stack].join(" ")).not.toContain(KEY);
});
