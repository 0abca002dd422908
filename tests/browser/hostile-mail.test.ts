// Mails that want to run, to ask or to escape, in a real browser: the inbox makes pages of them, and those are opened with
// scripts allowed and without the policy that they are served under, so that the sanitiser stands alone.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestApp, until } from "../support/app.ts";
import { openBrowser } from "../support/browser.ts";

const payloads = join(import.meta.dirname, "..", "..", "crates", "lunora_inspector", "tests", "payloads");
const PAGE = "http://mail.example/page";
const POLICY = /<meta http-equiv="Content-Security-Policy"[^>]*>/;

let app: TestApp;
let browser: Browser;
let inspector: { readonly origin: string; readonly token: string };

beforeAll(async () => {
  app = TestApp.copyOf("mail");
  browser = await openBrowser();
  await app.dev();
  await until("the inspector is there", () => existsSync(app.path(".lunora/inspector.json")));
  inspector = JSON.parse(app.read(".lunora/inspector.json"));
});

afterAll(async () => {
  await browser.close();
  await app.dispose();
});

async function ask(path: string, body?: object): Promise<Response> {
  const response = await fetch(`${inspector.origin}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${inspector.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return response;
}

/** Brings HTML into the inbox; answers where its page is. */
async function received(html: string): Promise<string> {
  const raw = `From: a@b.example\r\nMessage-ID: <1@b.example>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}`;
  const answer = await ask("/api/mail/inbound", { from: "a@b.example", to: "c@example.com", raw });
  const { id } = (await answer.json()) as { readonly id: string };
  const mail = (await (await ask(`/api/mail/${id}`)).json()) as { readonly frame: string };
  return mail.frame;
}

/** A page that says what a document asks for and does when it is opened in it, besides being there. */
async function watchedPage(): Promise<(html: string) => Promise<string[]>> {
  const page = await browser.newPage();
  let document = "";
  let seen: string[] = [];
  page.on("dialog", (dialog) => {
    seen.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.route("**/*", async (route) => {
    const url = route.request().url();
    if (url === PAGE) return route.fulfill({ contentType: "text/html; charset=utf-8", body: document });
    if (!url.endsWith("/favicon.ico")) seen.push(url);
    return route.abort();
  });
  return async (html) => {
    document = html;
    seen = [];
    await page.goto(PAGE, { waitUntil: "load" });
    // Styles ask for their pictures when they are applied, which this does.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
    return seen;
  };
}

test("no page of a hostile mail asks for anything or runs", async () => {
  const deeds = await watchedPage();
  // What is wrong is seen here.
  expect(await deeds("<style>body{background:url(https://evil.example/x.png)}</style>x")).toHaveLength(1);
  expect(await deeds("<img src=x onerror=alert(1)>")).toEqual(["http://mail.example/x", "dialog 1"]);

  const lines = (file: string): string[] => readFileSync(join(payloads, file), "utf8").trimEnd().split("\n");
  const styles = lines("mail-css.txt").map((style) => `<style>${style}</style><a href="https://evil.example">x</a>`);
  const all = [...lines("mail-xss.txt"), ...styles];
  expect(all.length).toBeGreaterThan(250);
  const faults: object[] = [];
  const open = async (queue: string[]): Promise<void> => {
    const deedsOf = await watchedPage();
    for (let payload = queue.pop(); payload !== undefined; payload = queue.pop()) {
      const html = await (await ask(await received(payload))).text();
      expect(html).toMatch(POLICY);
      const seen = await deedsOf(html.replace(POLICY, ""));
      if (seen.length > 0) faults.push({ payload, seen });
    }
  };
  const queue = [...all];
  await Promise.all(Array.from({ length: 4 }, () => open(queue)));
  expect(faults).toEqual([]);
}, 300_000);

test("a newsletter looks as it was made, under its policy and in its sandbox", async () => {
  const frame = await received(readFileSync(join(payloads, "newsletter.html"), "utf8"));
  const page = await browser.newPage({ viewport: { width: 500, height: 800 }, colorScheme: "light" });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).host));
  const shown = await page.goto(`${inspector.origin}${frame}`);
  expect(shown?.headers()["content-security-policy"]).toContain("sandbox");
  const style = async (selector: string, name: string): Promise<string> =>
    page.locator(selector).evaluate((element, property) => getComputedStyle(element).getPropertyValue(property), name);
  expect(await style("body", "background-color")).toBe("rgb(244, 244, 247)");
  expect(await style("a.button", "border-radius")).toBe("6px");
  expect(await style("a.button", "background-image")).toContain("linear-gradient");
  expect(await style(".hero > td", "background-color")).toBe("rgb(20, 33, 61)");
  // Narrow, as its second sheet is for.
  expect(await style("table.wide", "display")).toBe("block");
  await page.setViewportSize({ width: 900, height: 800 });
  expect(await style("table.wide", "display")).toBe("table");
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await style("table.wide", "background-color")).toBe("rgb(0, 0, 0)");
  expect(new Set(asked)).toEqual(new Set([new URL(inspector.origin).host]));
  await page.close();
});
