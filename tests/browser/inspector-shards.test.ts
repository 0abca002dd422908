// What the inspector reads of shards: the sizes of those that are seen, and no others.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { open, violations } from "../support/inspector/page.ts";
import type { Scheme } from "../support/inspector/page.ts";
import { InspectorServer } from "../support/inspector/server.ts";

const shots = join(import.meta.dirname, "..", "..", "target", "inspector-screenshots");

let browser: Browser;
let server: InspectorServer;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server.stop();
});

/** Sizes that have come. */
const sizes = (page: Page): Promise<number> => page.locator(".list-body .row [title^='Read']").count();

test.each<Scheme>(["light", "dark"])("a large shard is told by picture and word, %s", async (scheme) => {
  server = await InspectorServer.start();
  const { page, faults } = await open(browser, server.origin, "/shards?search=general", scheme);
  await page.locator(".list-body").getByText("1.3 GiB, large").waitFor();
  await page.getByText("5,000", { exact: true }).waitFor();
  expect(await page.locator(".badge", { hasText: "large" }).locator("svg").count()).toBe(1);
  expect(await violations(page)).toEqual([]);
  for (const width of [1440, 768, 320]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.screenshot({ path: join(shots, `${scheme}-shard-sizes-${width}.png`) });
  }
  expect(faults).toEqual([]);
});

test("those on screen are read once, and of the thousands that go by none", async () => {
  server = await InspectorServer.start();
  const { page } = await open(browser, server.origin, "/shards");
  const rows = page.locator(".list-body .row");
  await rows.first().waitFor();
  await expect.poll(async () => server.looked.length - (await rows.count())).toBe(0);
  const shown = server.looked.length;
  await expect.poll(() => sizes(page)).toBeGreaterThan(0);
  // To the end of 10,000, as fast as pages of names come.
  await page.keyboard.press("j");
  await expect
    .poll(
      async () => {
        await page.keyboard.press("End");
        return page.getByText("messages / room-9999", { exact: true }).count();
      },
      { timeout: 60_000, interval: 20 },
    )
    .toBe(1);
  await expect.poll(() => server.looked.at(-1)).toMatch(/room-99\d\d$/);
  // Waiting for pages may leave a few screens to be read on the way.
  expect(server.looked.length).toBeLessThan(10 * shown);
  expect(new Set(server.looked).size).toBe(server.looked.length);
});

test("what was written to since is read again, and what could not be read says why", async () => {
  server = await InspectorServer.start();
  const { page } = await open(browser, server.origin, "/shards?search=general");
  await expect.poll(() => server.looked).toEqual(["messages:general"]);
  await page.clock.install();
  server.happen(1);
  await page.clock.fastForward(60_000);
  await expect.poll(() => server.looked).toEqual(["messages:general", "messages:general"]);
  await page.route("**/api/inspect/shard", (route) =>
    route.fulfill({ status: 500, json: { error: { code: "SCHEMA_VERSION_UNKNOWN", message: "no" } } }),
  );
  await page.keyboard.press("/");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("room-4321");
  // The search and the sizes wait for somebody to pause.
  await page.clock.runFor(5_000);
  await page.locator(".list-body").getByText("SCHEMA_VERSION_UNKNOWN").waitFor();
});
