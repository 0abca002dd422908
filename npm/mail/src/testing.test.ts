import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { extractLink, listCapturedMail, waitForMail } from "./testing.ts";
import type { CapturedMail } from "./testing.ts";

const TOKEN = "token-of-this-run";

let server: Server;
let origin: string;
let mails: CapturedMail[];
let asked: string[];
/** Called before each list is answered. */
let onList: () => void;

const mail = (id: string, at: number, to: string, subject: string, more: Partial<CapturedMail> = {}): CapturedMail => ({
  id,
  at,
  from: "App <app@example.com>",
  to: [to],
  subject,
  direction: "sent",
  region: "eu",
  cc: [],
  bcc: [],
  replyTo: [],
  headers: [],
  links: [],
  codes: [],
  ...more,
});

// As the inspector answers; that it does is tested with the real one, across packages.
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
      return answer(401, { error: { code: "UNAUTHORIZED", message: "the token is another" } });
    const { pathname } = new URL(request.url ?? "", "http://inbox");
    if (pathname === "/api/mail") {
      onList();
      return answer(200, { mails, unread: 0, count: mails.length });
    }
    const found = mails.find(({ id }) => pathname === `/api/mail/${id}`);
    return found === undefined ? answer(404, { error: { code: "NOT_FOUND", message: "gone" } }) : answer(200, found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
  onList = () => {};
  mails = [
    mail("1", 10, "ada@example.com", "Sign in"),
    mail("3", 30, "Ada <ADA@example.com>", "Sign in to App", { text: "go" }),
    mail("2", 20, "bob@example.com", "Welcome"),
    mail("4", 40, "ada@example.com", "Sign in", { direction: "inbound" }),
  ];
});

const inbox = (): { origin: string; token: string } => ({ origin, token: TOKEN });

test("mails are listed newest first, by what the page searches for", async () => {
  const listed = await listCapturedMail({ ...inbox(), search: "to:ada subject:a b&c", limit: 7 });
  expect(listed.map(({ id }) => id)).toEqual(["4", "3", "2", "1"]);
  expect(asked).toEqual(["/api/mail?limit=7&search=to%3Aada+subject%3Aa+b%26c"]);
});

describe("waitForMail", () => {
  test.each([
    [{}, "3"],
    [{ to: "ada@example.com" }, "3"],
    [{ to: "Bob@Example.com" }, "2"],
    [{ subject: "Welcome" }, "2"],
    [{ subject: /^Sign in$/ }, "1"],
    [{ subject: /sign/gi }, "3"],
    [{ to: "ada@example.com", subject: "in", since: 30 }, "3"],
  ])("%o finds %s", async (wanted, id) => {
    expect(await waitForMail({ ...inbox(), ...wanted })).toMatchObject({ id });
  });

  test("waits until the mail is there", async () => {
    const late = mail("5", 50, "late@example.com", "Late");
    onList = () => {
      if (asked.length === 3) mails.push(late);
    };
    expect(await waitForMail({ ...inbox(), to: "late@example.com" })).toMatchObject({ id: "5" });
    expect(asked).toEqual([...Array.from({ length: 3 }, () => "/api/mail?limit=500"), "/api/mail/5"]);
  });

  test("says in the end what came instead", async () => {
    await expect(waitForMail({ ...inbox(), to: "eve@example.com", subject: /x/, timeout: 0 })).rejects.toMatchObject({
      code: "MAIL_NOT_FOUND",
      message: expect.stringMatching(/eve@example\.com.*\/x\/.*`Welcome` to bob@example\.com/),
    });
  });

  test("tells at once that the inbox refuses", async () => {
    await expect(waitForMail({ ...inbox(), token: "other" })).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      status: 401,
    });
    expect(asked).toHaveLength(1);
  });
});

describe("extractLink", () => {
  const found = {
    links: ["https://example.com/", "https://app.example/sign-in?token=1"],
    text: "see https://t.example/a.",
  };
  test.each([
    [{}, "https://example.com/"],
    [{ match: "token=" }, "https://app.example/sign-in?token=1"],
    [{ match: /sign-in\?token=\d+$/ }, "https://app.example/sign-in?token=1"],
    [{ match: "t.example" }, "https://t.example/a"],
  ])("%o", (options, link) => {
    expect(extractLink(found, options)).toBe(link);
  });

  test("throws without one", () => {
    expect(() => extractLink(found, { match: "nowhere" })).toThrow(/nowhere.*app\.example/);
    expect(() => extractLink({ links: [] })).toThrow(/none/);
  });
});
