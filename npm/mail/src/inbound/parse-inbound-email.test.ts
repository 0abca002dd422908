import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { checkProperty } from "../../../test-seed.ts";
import { BOMBS } from "../../testing/bombs.ts";
import { parseInboundEmail } from "./parse-inbound-email.ts";

const MAIL = [
  "Authentication-Results: mx.cloudflare.net; dkim=pass header.d=example.com (dmarc=fail); spf=softfail; dmarc=pass",
  "Authentication-Results: evil.example; dkim=fail; dmarc=fail",
  "From: =?utf-8?Q?Ada_L=C3=B6velace?= <ada@example.com>",
  "To: team: app@example.com, Bob <bob@example.com>;",
  "Cc: carol@example.com",
  "Reply-To: reply@example.com",
  "Subject: =?utf-8?B?R3LDvMOfZQ==?=",
  "Message-ID: <1@example.com>",
  "In-Reply-To: <0@example.com>",
  "References: <a@example.com>",
  " <0@example.com>",
  "Date: Sat, 21 Nov 2026 10:00:00 +0000",
  'Content-Type: multipart/mixed; boundary="b"',
  "",
  "--b",
  'Content-Type: multipart/alternative; boundary="c"',
  "",
  "--c",
  "Content-Type: text/plain; charset=iso-8859-1",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Gr=FC=DFe",
  "--c",
  "Content-Type: text/html; charset=utf-8",
  "",
  "<p>Grüße</p>",
  "--c--",
  "--b",
  "Content-Type: application/pdf; name*=utf-8''r%C3%A9sum%C3%A9.pdf",
  "Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf",
  "Content-Transfer-Encoding: base64",
  "Content-ID: <cv>",
  "",
  "AQIDBA==",
  "--b",
  "Content-Type: message/rfc822",
  "",
  "From: inner@example.com",
  "Subject: inner",
  "",
  "inner text",
  "--b--",
  "",
].join("\r\n");

test("a mail is read whole, and one inside it stays a file", async () => {
  const email = await parseInboundEmail(MAIL);
  expect(email).toMatchObject({
    from: { address: "ada@example.com", name: "Ada Lövelace" },
    to: [{ address: "app@example.com" }, { address: "bob@example.com", name: "Bob" }],
    cc: [{ address: "carol@example.com" }],
    replyTo: [{ address: "reply@example.com" }],
    subject: "Grüße",
    messageId: "<1@example.com>",
    inReplyTo: "<0@example.com>",
    references: ["<a@example.com>", "<0@example.com>"],
    date: "2026-11-21T10:00:00.000Z",
    authentication: { dkim: ["pass"], spf: ["softfail"], dmarc: ["pass"] },
  });
  expect(email.text?.trim()).toBe("Grüße");
  expect(email.html?.trim()).toBe("<p>Grüße</p>");
  expect(email.attachments.map(({ filename, contentType, contentId }) => [filename, contentType, contentId])).toEqual([
    ["résumé.pdf", "application/pdf", "cv"],
    [null, "message/rfc822", undefined],
  ]);
  expect(new Uint8Array(email.attachments[0]?.content ?? new ArrayBuffer())).toEqual(Uint8Array.of(1, 2, 3, 4));
});

test.each([
  ["bytes", new TextEncoder().encode(MAIL)],
  ["a buffer", new TextEncoder().encode(MAIL).buffer as ArrayBuffer],
  ["a view into a larger buffer", new TextEncoder().encode(`${"x".repeat(99)}${MAIL}`).subarray(99)],
  ["a stream", new Response(MAIL).body as ReadableStream<Uint8Array>],
])("it may come as %s", async (_, raw) => {
  expect(await parseInboundEmail(raw)).toEqual(await parseInboundEmail(MAIL));
});

describe("what receiving servers said", () => {
  test.each([
    ["mx; dkim=pass; dkim=fail", { dkim: ["pass", "fail"], spf: [], dmarc: [] }],
    ["mx (spf=pass; dmarc=pass); SPF=Pass (a (b; dmarc=pass))", { dkim: [], spf: ["pass"], dmarc: [] }],
    ["dmarc=pass", { dkim: [], spf: [], dmarc: [] }],
    ["mx; none", { dkim: [], spf: [], dmarc: [] }],
    ["mx; xdmarc=pass; dmarc=passed", { dkim: [], spf: [], dmarc: ["passed"] }],
  ])("%s", async (header, authentication) => {
    const email = await parseInboundEmail(`From: a@b.co\r\nAuthentication-Results: ${header}\r\n\r\nx`);
    expect(email.authentication).toEqual(authentication);
  });
});

describe("a mail that is too much", () => {
  test.each(BOMBS)("$name", async ({ make, message }) => {
    await expect(parseInboundEmail(make())).rejects.toMatchObject({
      code: "MAIL_UNREADABLE",
      message: expect.stringMatching(message),
    });
  });

  test("a stream is left at the limit", async () => {
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(1_000_000).fill(97));
      },
      cancel: () => void (isCancelled = true),
    });
    await expect(parseInboundEmail(endless)).rejects.toMatchObject({ code: "MAIL_UNREADABLE" });
    expect([pulled <= 27, isCancelled]).toEqual([true, true]);
  });

  test("as many parts as are allowed are read", async () => {
    const part = "--b\r\n\r\nx\r\n";
    const head = 'From: a@b.co\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n';
    await expect(parseInboundEmail(`${head}${part.repeat(999)}--b--`)).resolves.toBeDefined();
    await expect(parseInboundEmail(`${head}${part.repeat(1_000)}--b--`)).rejects.toMatchObject({
      message: "the mail has more than 1000 parts",
    });
  });
});

test.each(["", "\r\n", "just text\r\nand more", "\0\0\0"])("%j is no mail", async (raw) => {
  await expect(parseInboundEmail(raw)).rejects.toMatchObject({ code: "MAIL_UNREADABLE" });
});

test("whatever comes is read or refused with the code", async () => {
  const pieces = fc.constantFrom(
    "--b",
    "--b--",
    "\r\n",
    "\n",
    "\r\n\r\n",
    MAIL,
    "Content-Type: ",
    "multipart/mixed; boundary=b",
    "=?utf-8?B?",
    "?=",
    "\0",
    "(",
    '"',
  );
  const raws = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }),
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
  );
  checkProperty(
    fc.asyncProperty(raws, async (raw) => {
      const outcome = await parseInboundEmail(raw).then(
        () => "read",
        (error: { code?: unknown }) => error.code,
      );
      expect(["read", "MAIL_UNREADABLE"]).toContain(outcome);
    }),
  );
});
