// Pages in a real browser: the inspector's own works under its policy, and those of others get nothing from it.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { TestApp } from "../support/app.ts";
import { openGuardedBrowser } from "../support/browser.ts";

const files = {
  "package.json": `{ "name": "paged", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";\nexport default { plugins: [lunora()] };\n`,
  "index.html": "<!doctype html><title>An app</title>",
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({ notes: defineTable({ text: v.string() }) });
`,
  "lunora/notes.ts": `import { query } from "./_generated/server";
export const list = query.query(async ({ ctx }) => ctx.db.query("notes").collect());
`,
};

let app: TestApp;
let browser: Browser;
let url: string;
let entry: { origin: string; token: string };

beforeAll(async () => {
  app = TestApp.of("paged", files);
  ({ url } = await app.dev());
  entry = JSON.parse(readFileSync(app.path(".lunora/inspector.json"), "utf8")) as typeof entry;
  browser = await openGuardedBrowser(["--host-resolver-rules=MAP rebound.test 127.0.0.1"]);
});

afterAll(async () => {
  await browser.close();
  await app.dispose();
});

test("the inspector's page loads under its policy and takes the token out of its address", async () => {
  const page = await browser.newPage();
  const refused: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") refused.push(message.text());
  });
  page.on("pageerror", (error) => refused.push(String(error)));
  const answered = page.waitForResponse((response) => response.url() === `${entry.origin}/api/status`);
  await page.goto(`${entry.origin}/#token=${entry.token}`);
  expect((await answered).status()).toBe(200);
  await page.waitForFunction((token) => !location.href.includes(token), entry.token);
  await page.getByText("paged").first().waitFor();
  expect(refused).toEqual([]);
  await page.close();
});

/** Everything that a page may try against the inspector, with its token in hand. */
function attempts(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async ({ origin, token }) => {
    const outcome = (attempt: Promise<string>): Promise<string> => attempt.catch((error: Error) => error.name);
    const read = async (init: RequestInit): Promise<string> => {
      const response = await fetch(`${origin}/api/status`, init);
      return response.type === "opaque" ? "opaque" : response.text();
    };
    const socket = (): Promise<string> =>
      new Promise((resolve) => {
        const opened = new WebSocket(`${origin.replace("http", "ws")}/api/feed`, [
          "lunora.inspector",
          `token.${token}`,
        ]);
        opened.addEventListener("open", () => resolve("open"));
        opened.addEventListener("error", () => resolve("refused"));
      });
    const script = (): Promise<string> =>
      new Promise((resolve) => {
        const element = document.createElement("script");
        element.src = `${origin}/api/schema`;
        element.addEventListener("load", () => resolve("loaded"));
        element.addEventListener("error", () => resolve("refused"));
        document.head.append(element);
      });
    const redirect = async (): Promise<string> => {
      const response = await fetch("/__lunora/", { redirect: "manual" });
      return `${response.type} ${response.url} ${response.headers.get("location") ?? "hidden"}`;
    };
    return {
      plain: await outcome(read({})),
      withToken: await outcome(read({ headers: { authorization: `Bearer ${token}` } })),
      posted: await outcome(read({ method: "POST", body: "{}", headers: { "content-type": "application/json" } })),
      socket: await socket(),
      script: await script(),
      redirect: await outcome(redirect()),
    };
  }, entry);
}

test("a page of the app, with the token in hand, neither calls, embeds nor follows the inspector", async () => {
  const page = await browser.newPage();
  await page.goto(url);
  const got = await attempts(page);
  expect(got).toMatchObject({
    plain: "TypeError",
    withToken: "TypeError",
    posted: "TypeError",
    socket: "refused",
    script: "refused",
  });
  // On an app's own server that is all that a script learns.
  expect(got["redirect"]).toMatch(/^opaqueredirect .* hidden$/);
  const framed = page.waitForResponse((response) => response.url() === `${entry.origin}/`);
  await page.evaluate((origin) => {
    const frame = document.createElement("iframe");
    frame.src = `${origin}/`;
    document.body.append(frame);
  }, entry.origin);
  expect((await framed).status()).toBe(403);
  await page.close();
});

test("a name that turns into this machine's address is not the inspector's", async () => {
  const page = await browser.newPage();
  const rebound = entry.origin.replace("127.0.0.1", "rebound.test");
  const answer = await page.goto(`${rebound}/`);
  expect(answer?.status()).toBe(403);
  expect(await answer?.text()).toContain("HOST_NOT_ALLOWED");
  // Of the very same origin as what it asks, for the browser.
  const body = await page.evaluate(async (token) => {
    const response = await fetch("/api/status", { headers: { authorization: `Bearer ${token}` } });
    return response.text();
  }, entry.token);
  expect(body).toContain("HOST_NOT_ALLOWED");
  await page.close();
});
