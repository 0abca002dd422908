import { describe, expect, test } from "vitest";

import { HOSTILE_MESSAGES } from "../testing/hostile-messages.ts";
import { createCaptureTransport, createCloudflareTransport, createMailer } from "./index.ts";
import type { Mail, MailerOptions, MailMessage } from "./index.ts";

const from = "App <app@example.com>";

/** A mailer whose mails are kept here. */
function capturing(): { readonly sent: Mail[]; send(message: object): Promise<unknown> } {
  const sent: Mail[] = [];
  const mailer = createMailer({ from, transport: createCaptureTransport((mail) => void sent.push(mail)) });
  return { sent, send: async (message) => mailer.send(message as MailMessage) };
}

const codeOf = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return "nothing was thrown";
};

describe("createMailer", () => {
  const transport = createCaptureTransport(() => {});
  const cloudflareSend = { send: async () => ({ messageId: "m" }) };
  test.each([
    ["nothing", {}],
    ["a transport and a key", { transport, apiKey: "re_1" }],
    ["a transport and a binding", { transport, cloudflareSend }],
    ["all", { transport, cloudflareSend, apiKey: "re_1" }],
    ["a transport without `send`", { transport: {} }],
    ["a binding without `send`", { cloudflareSend: {} }],
    ["an empty key", { apiKey: "" }],
    ["a key with a line break", { apiKey: "re_1\nx-evil: 1" }],
  ])("refuses %s", async (_, options) => {
    expect(await codeOf(() => createMailer({ from, ...options } as MailerOptions))).toBe("MAIL_NOT_CONFIGURED");
  });

  test.each([
    ["", "MAIL_INVALID"],
    ["app@example.com\nBcc: eve@evil.example", "MAIL_HEADER_INJECTION"],
  ])("refuses the sender %j", async (sender, code) => {
    expect(await codeOf(() => createMailer({ from: sender, transport }))).toBe(code);
  });

  test.each([{ transport }, { cloudflareSend }, { apiKey: "re_1" }])("takes exactly one: %o", (options) => {
    expect(() => createMailer({ from, ...options })).not.toThrow();
  });
});

describe("a mail", () => {
  test("reaches the transport whole, read once", async () => {
    const { sent, send } = capturing();
    await send({
      to: ["Ada Lovelace <ada@example.com>", { address: "bob@example.com", name: 'Bob, "B"' }],
      cc: "carol@example.com",
      bcc: ['"Doe, Jane" <jane@example.com>'],
      replyTo: "Support <help@example.com>",
      subject: "Grüße 🎉",
      html: "<b>hi</b>",
      text: "hi",
      headers: { "List-Unsubscribe": "<https://example.com/u>", "In-Reply-To": "<1@example.com>" },
      attachments: [
        { filename: "ü.txt", content: "ü" },
        { filename: "logo.png", content: Uint8Array.of(1, 2).buffer, contentType: "image/png", contentId: "logo" },
      ],
    });
    expect(sent).toEqual([
      {
        from: { address: "app@example.com", name: "App" },
        to: [
          { address: "ada@example.com", name: "Ada Lovelace" },
          { address: "bob@example.com", name: 'Bob, "B"' },
        ],
        cc: [{ address: "carol@example.com" }],
        bcc: [{ address: "jane@example.com", name: "Doe, Jane" }],
        replyTo: [{ address: "help@example.com", name: "Support" }],
        subject: "Grüße 🎉",
        html: "<b>hi</b>",
        text: "hi",
        headers: [
          ["List-Unsubscribe", "<https://example.com/u>"],
          ["In-Reply-To", "<1@example.com>"],
        ],
        attachments: [
          { filename: "ü.txt", content: new TextEncoder().encode("ü"), contentType: "application/octet-stream" },
          { filename: "logo.png", content: Uint8Array.of(1, 2), contentType: "image/png", contentId: "logo" },
        ],
      },
    ]);
  });

  test.each([
    "ada@example.com",
    "a@b.co",
    "first.last+tag@sub.example.co.uk",
    "o'neil@example.com",
    "x_y=z@xn--exmple-cua.com",
    "dev@localhost",
    "  Ada <ada@example.com>".trim(),
    "<ada@example.com>",
    `${"a".repeat(64)}@example.com`,
  ])("goes to %s", async (to) => {
    const { sent, send } = capturing();
    await send({ to, subject: "Hello", text: "Hello" });
    expect(sent).toHaveLength(1);
  });

  test("has its own sender where it says one", async () => {
    const { sent, send } = capturing();
    await send({ to: "ada@example.com", from: "billing@example.com", subject: "Hello", text: "Hello" });
    expect(sent[0]?.from).toEqual({ address: "billing@example.com" });
  });
});

describe("what must not leave", () => {
  test("is a corpus of at least 150", () => {
    expect(HOSTILE_MESSAGES.length).toBeGreaterThanOrEqual(150);
    expect(new Set(HOSTILE_MESSAGES.map(({ name }) => name)).size).toBe(HOSTILE_MESSAGES.length);
  });

  test.each(HOSTILE_MESSAGES)("$name", async ({ message, code }) => {
    const { sent, send } = capturing();
    const error = await send(message).then(
      () => undefined,
      (thrown: Error & { code: string }) => thrown,
    );
    expect([error?.code, sent]).toEqual([code, []]);
    // What somebody else wrote is not quoted into logs.
    expect(error?.message).not.toMatch(/evil/);
  });
});

describe("Cloudflare's binding", () => {
  const one = { to: "ada@example.com", subject: "Hello", text: "Hello" };

  test.each([
    ["two in `to`", { ...one, to: ["ada@example.com", "bob@example.com"] }],
    ["a `cc`", { ...one, cc: "bob@example.com" }],
    ["a `bcc`", { ...one, bcc: "bob@example.com" }],
    ["two in `replyTo`", { ...one, replyTo: ["ada@example.com", "bob@example.com"] }],
  ])("is not asked with %s", async (_, message) => {
    const asked: unknown[] = [];
    const cloudflareSend = { send: async (mail: unknown) => void asked.push(mail) };
    expect(await codeOf(() => createMailer({ from, cloudflareSend }).send(message))).toBe("MAIL_RECIPIENT_LIMIT");
    expect(asked).toEqual([]);
  });

  test("is told no more of a file than the file", async () => {
    const large = new Uint8Array(1_000).fill(7);
    const asked: { attachments?: { content: Uint8Array }[] }[] = [];
    const cloudflareSend = { send: async (mail: object) => void asked.push(mail) };
    await createMailer({ from, cloudflareSend }).send({
      ...one,
      attachments: [{ filename: "a", content: large.subarray(10, 12) }],
    });
    expect(asked[0]?.attachments?.[0]?.content.buffer.byteLength).toBe(2);
  });

  test.each([
    [
      Object.assign(new Error("sender app@example.com not verified"), { code: "E_SENDER_NOT_VERIFIED" }),
      "E_SENDER_NOT_VERIFIED",
    ],
    [Object.assign(new Error("x"), { code: "Bearer secret" }), null],
    ["a text", null],
  ])("tells its own code: %s", async (thrown, code) => {
    const transport = createCloudflareTransport({ send: () => Promise.reject(thrown) });
    const error = await createMailer({ from, transport })
      .send(one)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "MAIL_NOT_SENT", status: 502, data: { provider: "cloudflare", code } });
    expect(String(error)).not.toMatch(/app@example|secret/);
  });
});
