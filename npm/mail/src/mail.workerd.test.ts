import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { code, result } from "../../do/testing/client.ts";
import type { Loose } from "../../do/testing/loose.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { BOMBS } from "../testing/bombs.ts";

let worker: TestWorker;
let inbox: Server;
let port: number;
let captured: Loose[] = [];
/** What the inbox does with the next mails. */
let behaviour: "takes" | "fails" | "babbles" | "hangs" | "breaks" = "takes";

beforeAll(async () => {
  inbox = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      captured.push({
        method: request.method,
        url: request.url,
        type: request.headers["content-type"],
        body: JSON.parse(body),
      });
      if (behaviour === "takes") response.end(JSON.stringify({ id: `m${captured.length}`, messageId: "<m>" }));
      if (behaviour === "fails") response.writeHead(500).end(JSON.stringify({ error: { code: "X", message: "no" } }));
      if (behaviour === "babbles") response.end("<html>");
      if (behaviour === "breaks") request.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => inbox.listen(0, "127.0.0.1", resolve));
  port = (inbox.address() as AddressInfo).port;
  worker = await start(port);
});

afterAll(async () => {
  await worker?.stop();
  inbox.closeAllConnections();
  inbox.close();
});

beforeEach(() => {
  captured = [];
  behaviour = "takes";
});

async function start(inboxPort: number): Promise<TestWorker> {
  return TestWorker.start({
    entry: new URL("../testing/app.ts", import.meta.url).pathname,
    namespaces: [
      { binding: "SHARD", className: "ShardDO" },
      { binding: "SHARD_REGISTRY", className: "ShardRegistryDO" },
      { binding: "EU_SHARD", className: "EuShardDO" },
      { binding: "EU_SHARD_REGISTRY", className: "EuShardRegistryDO" },
    ],
    variables: { MAIL_FROM: "App <app@example.com>" },
    bindings: [
      '(name = "SEND_EMAIL", service = (name = "main", entrypoint = "SendEmail"))',
      '(name = "SELF", service = "main")',
      '(name = "__lunora_mail", service = "inbox")',
    ],
    services: [`(name = "inbox", external = (address = "127.0.0.1:${inboxPort}", http = ()))`],
  });
}

const message = { to: "Ada <ada@example.com>", subject: "Hello", text: "Hello", html: "<b>Hello</b>" };
const send = (more: object = {}, capture = false): Promise<Loose> =>
  result(worker, "app:send", { message: { ...message, ...more }, capture });

describe("the binding `send_email`", () => {
  test("gets the mail in the platform's own form, bytes as bytes", async () => {
    const sent = await send({
      replyTo: "help@example.com",
      headers: { "X-Note": "1" },
      attachments: [{ filename: "ü.bin", content: Uint8Array.of(0, 255, 128).buffer, contentId: "logo" }],
    });
    expect(sent).toEqual({ id: "<1@example.com>" });
    expect(await (await worker.fetch("/sent")).json()).toEqual([
      {
        from: { name: "App", email: "app@example.com" },
        to: { name: "Ada", email: "ada@example.com" },
        replyTo: "help@example.com",
        subject: "Hello",
        text: "Hello",
        html: "<b>Hello</b>",
        headers: { "X-Note": "1" },
        attachments: [
          {
            filename: "ü.bin",
            type: "application/octet-stream",
            content: [0, 255, 128],
            disposition: "inline",
            contentId: "logo",
          },
        ],
      },
    ]);
    expect(captured).toEqual([]);
  });

  test("is not asked for what must not leave, or for more recipients than it takes", async () => {
    expect(await send({ subject: "a\r\nBcc: eve@evil.example" })).toMatchObject({ code: "MAIL_HEADER_INJECTION" });
    expect(await send({ to: "ada@example.com, eve@evil.example" })).toMatchObject({ code: "MAIL_HEADER_INJECTION" });
    expect(await send({ to: "nobody" })).toMatchObject({ code: "MAIL_INVALID" });
    expect(await send({ cc: "bob@example.com" })).toMatchObject({ code: "MAIL_RECIPIENT_LIMIT" });
    expect(await (await worker.fetch("/sent")).json()).toEqual([]);
  });

  test("that refuses is a coded error", async () => {
    expect(await send({ subject: "refused" })).toMatchObject({
      code: "MAIL_NOT_SENT",
      data: { provider: "cloudflare" },
    });
  });
});

describe("capture", () => {
  test("puts the mail into the inbox of the region", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const sent = await send(
      {
        cc: ["bob@example.com"],
        bcc: "carol@example.com",
        replyTo: "help@example.com",
        headers: { "X-Note": "1" },
        attachments: [{ filename: "a.bin", content: bytes.buffer, contentType: "image/png", contentId: "logo" }],
      },
      true,
    );
    expect(sent).toEqual({ id: "m1" });
    expect(captured).toEqual([
      {
        method: "POST",
        url: "/mail",
        type: "application/json",
        body: {
          region: "eu",
          from: { email: "app@example.com", name: "App" },
          to: [{ email: "ada@example.com", name: "Ada" }],
          cc: [{ email: "bob@example.com" }],
          bcc: [{ email: "carol@example.com" }],
          replyTo: [{ email: "help@example.com" }],
          subject: "Hello",
          text: "Hello",
          html: "<b>Hello</b>",
          headers: { "X-Note": "1" },
          attachments: [
            { name: "a.bin", type: "image/png", content: Buffer.from(bytes).toString("base64"), contentId: "logo" },
          ],
        },
      },
    ]);
    expect(await (await worker.fetch("/sent")).json()).toEqual([]);
  });

  test.each(["fails", "babbles", "hangs", "breaks"] as const)("succeeds although the inbox %s", async (how) => {
    behaviour = how;
    expect(await send({}, true)).toEqual({ id: "uncaptured" });
    behaviour = "takes";
    expect(await send({}, true)).toEqual({ id: "m2" });
  });

  test("succeeds without an inbox, and warns once", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const unused = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
    const lonely = await start(unused);
    let output = "";
    try {
      for (let time = 0; time < 3; time += 1)
        expect(await result(lonely, "app:send", { message, capture: true })).toEqual({ id: "uncaptured" });
      // What is printed arrives beside the answers.
      await expect.poll(() => (output += lonely.takeOutput())).toContain("captured and lost");
      expect(output.match(/captured and lost/g)).toHaveLength(1);
    } finally {
      await lonely.stop();
    }
  });
});

interface Outcome {
  readonly rejected: string[];
  readonly forwarded: string[];
  readonly replies: Loose[];
  readonly error: string | null;
}

async function deliver(
  to: string,
  subject = "Hi",
  more: { from?: string; raw?: string; fault?: string } = {},
): Promise<Outcome> {
  const query = new URLSearchParams({ from: more.from ?? "ada@example.com", to, fault: more.fault ?? "none" });
  const body = more.raw ?? `From: Ada <ada@example.com>\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello\r\n`;
  return (await worker.fetch(`/deliver?${query}`, { method: "POST", body })).json() as Promise<Outcome>;
}

const NOTHING: Outcome = { rejected: [], forwarded: [], replies: [], error: null };
const REJECTED: Outcome = { ...NOTHING, rejected: ["The message was not accepted."] };
const subjects = async (): Promise<{ inside: string[]; outside: string[] }> =>
  (await worker.fetch("/subjects")).json() as Promise<{ inside: string[]; outside: string[] }>;

describe("an inbound mail", () => {
  test("becomes a call of an internal mutation, as nobody, in the region", async () => {
    expect(await deliver("receive@app.example", "pinned")).toEqual(NOTHING);
    expect(await deliver("rooted@app.example", "by key")).toEqual(NOTHING);
    const { inside, outside } = await subjects();
    expect(inside).toEqual(expect.arrayContaining(["pinned", "by key"]));
    expect(outside).toEqual([]);
    const rows = await result(worker, "app:list");
    expect(rows.filter(({ subject }: Loose) => subject === "pinned")).toMatchObject([{ userId: "nobody" }]);
    expect(await code(worker, "app:receive", { subject: "x" })).toBe("FUNCTION_NOT_FOUND");
  });

  test("goes where the function's address says, and through actions", async () => {
    expect(await deliver("note@app.example", "sharded")).toEqual(NOTHING);
    expect(await result(worker, "app:notes", { room: "kitchen" })).toMatchObject([{ subject: "sharded" }]);
    expect(await deliver("act@app.example", "by action")).toEqual(NOTHING);
    expect((await subjects()).inside).toContain("acted by action");
  });

  test.each(["missing", "throwing", "undefined", "promise", "itself", "unpinned"])(
    "reaches nothing outside when the jurisdiction is %s",
    async (fault) => {
      await worker.fetch("/touched");
      for (const to of ["receive", "note", "act"])
        expect(await deliver(`${to}@app.example`, `lost by ${fault}`, { fault })).toEqual(REJECTED);
      expect(await (await worker.fetch("/touched")).json()).toBe(0);
      expect(JSON.stringify(await subjects())).not.toContain(`lost by ${fault}`);
    },
  );

  test("without a jurisdiction goes outside: the option is the app's word", async () => {
    expect(await deliver("unpinned@app.example", "outside")).toEqual(NOTHING);
    const { inside, outside } = await subjects();
    expect([inside.includes("outside"), outside]).toEqual([false, ["outside"]]);
    const crossings = async (): Promise<unknown> => (await worker.fetch("/crossings")).json();
    expect(await crossings()).toEqual([{ kind: "mail", name: "app:receive", count: 1 }]);
    await deliver("receive@app.example", "inside");
    expect(await crossings()).toEqual([]);
  });

  test.each([
    ["a function that fails", "receive@app.example", "fail"],
    ["a function that is not there", "missing@app.example", "Hi"],
    ["a shard that is another", "misplaced@app.example", "Hi"],
  ])("is rejected for %s, and the sender learns nothing", async (_, to, subject) => {
    expect(await deliver(to, subject)).toEqual(REJECTED);
  });

  test("is kept out by `verify`", async () => {
    expect(await deliver("receive@app.example", "spam", { from: "spam@evil.example" })).toEqual(REJECTED);
    expect((await subjects()).inside).not.toContain("spam");
  });

  test("may be forwarded and replied to", async () => {
    expect(await deliver("forward@app.example")).toEqual({ ...NOTHING, forwarded: ["archive@example.com"] });
    const { replies } = await deliver("reply@app.example", "Question");
    expect(replies).toEqual([{ from: "reply@app.example", subject: "Re: Question", text: "Got it." }]);
  });

  test("that is no mail is rejected", async () => {
    expect(await deliver("receive@app.example", "", { raw: "\0\0\0" })).toEqual(REJECTED);
  });

  test.each(BOMBS)("that is a bomb is rejected: $name", async ({ make }) => {
    expect(await deliver("receive@app.example", "", { raw: make() })).toEqual(REJECTED);
    expect(await deliver("receive@app.example", "after the bomb")).toEqual(NOTHING);
  });

  test("bombs that come at once leave the worker alive", async () => {
    const raws = BOMBS.slice(0, 4).map(({ make }) => make());
    const outcomes = await Promise.all(raws.map((raw) => deliver("receive@app.example", "", { raw })));
    expect(outcomes).toEqual(raws.map(() => REJECTED));
    expect(await deliver("receive@app.example", "still here")).toEqual(NOTHING);
  });
});
