// The mail playground in development: somebody signs in by a link in a mail, and an answer by mail becomes a message.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { extractLink, listCapturedMail, waitForMail } from "lunorash/mail/testing";
import { TestApp, call, until } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

interface Inspector {
  readonly origin: string;
  readonly token: string;
}

interface Delivered {
  readonly outcome: string;
  readonly reason?: string;
  readonly call: string;
  readonly logs: readonly { readonly text: string; readonly functionPath: string }[];
}

/** What the inbox made of a mail that it handed to the worker. */
async function deliver({ origin, token }: Inspector, mail: object): Promise<Delivered> {
  const response = await fetch(`${origin}/api/mail/inbound`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(mail),
  });
  expect(response.status).toBe(200);
  return response.json() as Promise<Delivered>;
}

/** What the timeline has of a call. */
async function trace({ origin, token }: Inspector, id: string): Promise<{ ops: readonly { table: string }[] }> {
  const response = await fetch(`${origin}/api/trace?call=${id}`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return response.json() as Promise<{ ops: readonly { table: string }[] }>;
}

test("a link signs in once, and an answer by mail reaches its thread", async () => {
  app = TestApp.copyOf("mail");
  // The handler and the function that it calls each say something.
  app.edit(
    "lunora/app.ts",
    'resolveArgs: ({ from, text }, { to }) => ({ to, from: from?.address ?? "", text: text ?? "" }),',
    `resolveArgs: ({ from, text }, { to }) => {
        console.info("a mail for", to);
        return { to, from: from?.address ?? "", text: text ?? "" };
      },`,
  );
  app.edit(
    "lunora/replies.ts",
    "const replyKey = replyKeyOf(to);",
    `console.warn("looking for the thread");
    const replyKey = replyKeyOf(to);`,
  );
  const { url } = await app.dev();
  const file = ".lunora/inspector.json";
  await until("the inspector is there", () => existsSync(app.path(file)));
  const inspector = JSON.parse(app.read(file)) as Inspector;

  await call(url, "signIn:request", { email: " Ada@Example.com " });
  await call(url, "signIn:request", { email: "ada@example.com" });
  const mail = await waitForMail({ ...inspector, to: "ada@example.com", subject: "sign in", timeout: 60_000 });
  expect(mail).toMatchObject({ region: "eu", functionPath: "signIn:request", direction: "sent" });
  expect(await listCapturedMail({ ...inspector, search: "to:ada@example.com" })).toHaveLength(1);
  const link = new URL(extractLink(mail, { match: "#token=" }));
  expect(link.origin).toBe("http://localhost:5173");
  const token = new URLSearchParams(link.hash.slice(1)).get("token");

  // Of many at once, one gets in.
  const tries = await Promise.allSettled(Array.from({ length: 5 }, () => call(url, "signIn:complete", { token })));
  const sessions = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value as string] : []));
  const refusals = tries.flatMap((one) => (one.status === "rejected" ? [one.reason.code as string] : []));
  expect([sessions.length, refusals]).toEqual([1, Array.from({ length: 4 }, () => "LINK_INVALID")]);

  const asAda = { authorization: `Bearer ${sessions[0]}` };
  expect(await call(url, "signIn:me", {}, asAda)).toBe("ada@example.com");
  const forged = sessions[0]?.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  expect(await call(url, "signIn:me", {}, { authorization: `Bearer ${forged}` })).toBeNull();
  expect(await call(url, "signIn:me")).toBeNull();

  const start = { title: "Lunch?", guest: "bob@example.com", body: "At noon?" };
  await expect(call(url, "threads:start", start)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  const threadId = await call(url, "threads:start", start, asAda);
  const invitation = await waitForMail({ ...inspector, to: "bob@example.com", subject: "Lunch?" });
  const [to = ""] = invitation.replyTo;
  expect(to).toMatch(/^reply\+[\da-f]{32}@example\.com$/);

  const answer = {
    region: "eu",
    from: "bob@example.com",
    to,
    subject: "Re: Lunch?",
    text: "Yes!\r\n\r\nAda wrote:\r\n> At noon?\r\n",
  };
  const taken = await deliver(inspector, answer);
  expect(taken.outcome).toBe("accepted");
  // They are of two isolates, which may say the same instant.
  const lines = taken.logs.map(({ text, functionPath }) => [text, functionPath]);
  expect(lines.toSorted()).toEqual([
    [`a mail for ${to}`, "email()"],
    ["looking for the thread", "replies:receive"],
  ]);
  // The mail, the function that took it and what it wrote are one call.
  await expect
    .poll(async () => (await trace(inspector, taken.call)).ops.map(({ table }) => table))
    .toEqual(["messages"]);
  const reason = "The message was not accepted.";
  for (const wrong of [{ from: "eve@example.com" }, { to: `reply+${"0".repeat(32)}@example.com` }, { text: "> only" }])
    expect(await deliver(inspector, { ...answer, ...wrong })).toMatchObject({ outcome: "rejected", reason });
  const messages = (await call(url, "threads:messages", { threadId }, asAda)) as { author: string; body: string }[];
  expect(messages.map(({ author, body }) => [author, body])).toEqual([
    ["ada@example.com", "At noon?"],
    ["bob@example.com", "Yes!"],
  ]);
  expect(await call(url, "threads:messages", { threadId })).toEqual([]);

  // Of what was written nothing lies outside the region.
  const state = join(app.folder, ".lunora", "state");
  expect(existsSync(join(state, "eu", "mail"))).toBe(true);
  for (const outside of [join(state, "mail"), join(state, "none", "mail")]) expect(existsSync(outside)).toBe(false);
});

test("what a `send_email` binding sends says which function sent it", async () => {
  app = TestApp.copyOf("mail");
  app.edit(".dev.vars", "LUNORA_MAIL_CAPTURE=1", "LUNORA_MAIL_CAPTURE=0");
  const { url } = await app.dev();
  const file = ".lunora/inspector.json";
  await until("the inspector is there", () => existsSync(app.path(file)));
  const inspector = JSON.parse(app.read(file)) as Inspector;
  await call(url, "signIn:request", { email: "ada@example.com" });
  const mail = await waitForMail({ ...inspector, to: "ada@example.com", timeout: 60_000 });
  expect(mail).toMatchObject({ region: "eu", functionPath: "signIn:request", call: expect.any(String) });
});
