// The inspector's UI, built as it is embedded, in a real browser: every view by keyboard, in both themes, with axe.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { open, violations } from "../support/inspector/page.ts";
import type { Scheme } from "../support/inspector/page.ts";
import { InspectorServer } from "../support/inspector/server.ts";

const shots = join(import.meta.dirname, "..", "..", "target", "inspector-screenshots");
const general = encodeURIComponent("messages:general");

let browser: Browser;
let server: InspectorServer;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await openBrowser();
  server = await InspectorServer.start();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Letter after `g`, heading, and what shows that the view has its data. */
const VIEWS: readonly (readonly [string, string, string])[] = [
  ["h", "Overview", ".plain-list li"],
  ["s", "Shards", ".list-body .row"],
  ["o", "Op-log", ".list-body .row"],
  ["p", "Pokes", ".list-body .row"],
  ["a", "Shapes", ".chips .button"],
  ["c", "Clients", ".chips .button"],
  ["d", "Data", ".chips .button"],
  ["f", "Functions", ".list-body .row"],
  ["j", "Scheduled", ".table"],
  ["q", "Queues", ".empty"],
  ["r", "Residency", ".table"],
  ["m", "Mail", ".list-body .row"],
  ["e", "Schema", ".card"],
  ["l", "Logs", ".list-body .row"],
  ["x", "Faults", ".table"],
];

/** Places that are reached from a view. */
const PLACES: readonly (readonly [string, string, string])[] = [
  ["shard", `/shards/${general}`, ".table"],
  ["shard-log", `/oplog/${general}?seq=1000050`, ".difference"],
  ["poke", `/pokes/${general}/13`, ".card"],
  ["shard-shapes", `/shapes/${general}?shape=recent&id=msg00000001`, ".card"],
  ["shard-clients", `/clients/${general}`, ".card"],
  ["tables", `/data/${general}`, ".table"],
  ["rows", `/data/${general}/messages`, ".list-body .row"],
  ["row", `/data/${general}/messages/msg00000007`, ".history .card"],
  ["function", "/functions/messages%3Asend", "textarea"],
  ["call", "/calls/call7", ".difference"],
  ["mail", "/mail/mail0", "iframe"],
  ["missing", "/nowhere", ".empty"],
];

async function widthsOf(page: Page, name: string): Promise<void> {
  for (const width of [1440, 768, 320]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), `${name} at ${width}`).toBeLessThanOrEqual(
      width,
    );
    await page.screenshot({ path: join(shots, `${name}-${width}.png`) });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

describe.each<Scheme>(["light", "dark"])("in the %s theme", (scheme) => {
  test("every view is reached by keyboard, and axe finds nothing", async () => {
    const { page, faults } = await open(browser, server.origin, "/", scheme);
    for (const [letter, title, sign] of VIEWS) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter);
      await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
      await page.locator(`main ${sign}`).first().waitFor();
      expect(await violations(page), title).toEqual([]);
      await widthsOf(page, `${scheme}-${title.toLowerCase()}`);
    }
    expect(faults).toEqual([]);
  });

  test("every place has an address, and axe finds nothing", async () => {
    for (const [name, path, sign] of PLACES) {
      const { page, faults } = await open(browser, server.origin, path, scheme);
      await page.locator(`main ${sign}`).first().waitFor();
      expect(await violations(page), name).toEqual([]);
      await widthsOf(page, `${scheme}-${name}`);
      expect(faults, name).toEqual([]);
      await page.context().close();
    }
  });
});

describe("the token", () => {
  test("is taken out of the address, and outlives a reload", async () => {
    const { page } = await open(browser, server.origin, "/shards");
    expect(page.url()).toBe(`${server.origin}/shards`);
    await page.reload();
    await page.locator(".list-body .row").first().waitFor();
  });

  test("is asked for when there is none, and when it is refused", async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${server.origin}/mail`);
    await page.getByLabel("Link or token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: join(shots, "token.png") });
    await page.getByLabel("Link or token").fill(`${server.origin}/#token=a-token-of-the-test`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Mail" }).waitFor();
  });
});

describe("lists of any length", () => {
  const rows = (page: Page): Promise<number> => page.locator(".list-body .row").count();

  test("10,000 shards: a screen of them is in the document, the last is reached, the search finds", async () => {
    const { page } = await open(browser, server.origin, "/shards");
    await page.locator(".list-body .row").first().waitFor();
    await page.keyboard.press("j");
    const last = page.getByText("messages / room-9999", { exact: true });
    await expect
      .poll(
        async () => {
          await page.keyboard.press("End");
          return last.count();
        },
        { timeout: 60_000, interval: 20 },
      )
      .toBe(1);
    expect(await rows(page)).toBeLessThan(60);
    await page.keyboard.press("/");
    await page.keyboard.type("room-4321");
    await page.getByText("messages / room-4321", { exact: true }).waitFor();
    expect(await rows(page)).toBe(1);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "messages / room-4321" }).waitFor();
  });

  test("1,000,000 changes: the oldest is one key away", async () => {
    const { page } = await open(browser, server.origin, `/oplog/${general}`);
    await page.locator(".list-body .row").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("End");
    await page.getByRole("gridcell", { name: "1", exact: true }).waitFor();
    expect(await rows(page)).toBeLessThan(60);
    await page.keyboard.press("Home");
    await page.getByRole("gridcell", { name: "1000060", exact: true }).waitFor();
  });
});

describe("what happens", () => {
  test("is seen as it happens, and held still by a pause", async () => {
    const { page } = await open(browser, server.origin, "/oplog");
    const newest = page.locator(".list-body .row").first();
    await newest.waitFor();
    const before = await newest.textContent();
    server.happen(1);
    await page.waitForFunction((text) => document.querySelector(".list-body .row")?.textContent !== text, before);
    await page.keyboard.press("Space");
    const held = await newest.textContent();
    server.happen(2);
    await page.getByRole("button", { name: "Go on (10 wait)" }).waitFor();
    expect(await newest.textContent()).toBe(held);
    await page.keyboard.press("Space");
    await page.waitForFunction((text) => document.querySelector(".list-body .row")?.textContent !== text, held);
  });

  test("from a wrong row it is two clicks to the mutation that wrote it", async () => {
    const { page } = await open(browser, server.origin, `/data/${general}/messages`);
    await page.locator(".list-body .row").nth(7).click();
    await page.locator(".history").getByRole("link", { name: "messages:send" }).click();
    await page.getByRole("heading", { level: 1, name: /^Call call/ }).waitFor();
    await page.getByText("lunora", { exact: false }).first().waitFor();
    await page.locator(".plain-list a").first().click();
    await page.getByRole("heading", { level: 1, name: /^Poke/ }).waitFor();
  });

  test("a row is deleted only after a question, by an admin mutation", async () => {
    const { page } = await open(browser, server.origin, `/data/${general}/messages/msg00000007`);
    await page.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog");
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(server.writes.filter((write) => write.path === "inspect/edit")).toEqual([]);
    await page.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.waitForFunction(() => document.querySelector("dialog") === null);
    await expect
      .poll(() => server.writes.filter((write) => write.path === "inspect/edit").map((write) => write.body))
      .toEqual([{ object: "messages:general", table: "messages", op: "delete", id: "msg00000007" }]);
  });

  test("why a row is not in a shape is told clause by clause", async () => {
    const { page } = await open(browser, server.origin, `/shapes/${general}`);
    await page.getByLabel("Row id").fill("msg00000001");
    await page.getByRole("button", { name: "Why?" }).click();
    await page.getByText("The row is not in the shape").waitFor();
    const clause = page.getByRole("row", { name: /likes gt 3/ }).filter({ hasText: "does not hold" });
    expect(await clause.count()).toBe(1);
    expect(await violations(page)).toEqual([]);
  });

  test("a socket is dropped on purpose", async () => {
    const { page } = await open(browser, server.origin, `/clients/${general}`);
    await page.getByRole("button", { name: "Drop" }).first().click();
    await expect
      .poll(() => server.writes.filter((write) => write.path === "faults").map((write) => write.body))
      .toEqual([{ object: "messages:general", fault: "dropSocket", socket: "sock0" }]);
  });

  test("chaos is begun with a seed and ended by keyboard, and faults are marked where things are followed", async () => {
    const { page, faults } = await open(browser, server.origin, "/faults");
    await page.getByLabel("Seed").fill("4711");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "chaos 4711" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: join(shots, "chaos.png") });
    await page.getByRole("button", { name: "Stop" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "chaos 4711" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Start with any seed" }).click();
    await page.getByRole("link", { name: /^chaos \d+$/ }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    const seeds = (): unknown[] => server.writes.filter((write) => write.path === "chaos").map(({ body }) => body);
    await expect.poll(seeds).toEqual([{ seed: 4711 }, { seed: null }, { seed: expect.any(Number) }, { seed: null }]);
    await page.getByRole("button", { name: "Fail eu" }).click();
    await expect
      .poll(() => server.writes.findLast((write) => write.path === "faults")?.body)
      .toEqual({ fault: "failRegion", region: "eu", ms: 5000 });
    server.happen(3);
    server.disturb("messages:general", "sock0");
    for (const path of ["/pokes", "/oplog"]) {
      await page.goto(`${server.origin}${path}`);
      const newest = page.locator(".list-body .row").first();
      await newest.getByText("Socket dropped").waitFor();
      expect(await newest.getByRole("link", { name: "chaos 42, step 1" }).count()).toBe(1);
      await page.getByRole("grid").focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Faults" }).waitFor();
    }
    await page.goto(`${server.origin}/pokes`);
    await page.locator(".lanes .fault").first().waitFor({ state: "attached" });
    await page.goto(`${server.origin}/shards/${general}`);
    await page
      .locator(".chart")
      .getByRole("link", { name: /^\d+ faults?$/ })
      .waitFor();
    await page.screenshot({ path: join(shots, "chart-with-faults.png") });
    expect(faults).toEqual([]);
  });

  test("keys are listed, and `t` changes the theme", async () => {
    const { page } = await open(browser, server.origin);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: join(shots, "keys.png") });
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("t");
    await page.keyboard.press("t");
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
  });
});

test("a mail is shown with its styles, in a frame that can do nothing", async () => {
  const { page, faults } = await open(browser, server.origin, "/mail/mail0");
  const frame = page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Welcome" }).waitFor();
  expect(await frame.getByRole("heading").evaluate((element) => getComputedStyle(element).color)).toBe(
    "rgb(74, 79, 196)",
  );
  expect(await page.locator("iframe").getAttribute("sandbox")).toBe("");
  for (const tab of ["Text", "Headers", "Raw", "Parts (3)"]) {
    await page.getByRole("tab", { name: tab }).click();
    expect(await violations(page), tab).toEqual([]);
  }
  expect(faults).toEqual([]);
});

test("what the handler of a simulated mail did and logged is shown", async () => {
  const { page, faults } = await open(browser, server.origin, "/mail");
  await page.getByRole("button", { name: "Simulate inbound" }).click();
  const dialog = page.getByRole("dialog", { name: "Simulate inbound mail" });
  await dialog.getByLabel("From").fill("ada@example.com");
  await dialog.getByLabel("To").fill("nobody@example.com");
  await dialog.getByRole("button", { name: "Send" }).click();
  const outcome = dialog.getByRole("status");
  await outcome.getByText("rejected", { exact: true }).first().waitFor();
  const lines = outcome.getByRole("region", { name: "Log lines of the handler" });
  await lines.getByText("no thread takes this mail").waitFor();
  expect(await outcome.getByRole("link", { name: "what it did" }).getAttribute("href")).toBe("/calls/mailed");
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(shots, "mail-inbound.png") });
  expect(faults).toEqual([]);
});

test("a mail is there as it is sent, and is searched for", async () => {
  const { page } = await open(browser, server.origin, "/mail");
  await page.locator(".list-body .row").first().waitFor();
  server.send("Reset your password");
  await page.getByText("Reset your password").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("Reset");
  await expect.poll(() => page.locator(".list-body .row").count()).toBe(1);
});
