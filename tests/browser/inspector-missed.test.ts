// What never reached the inspector's page is told on every page, whatever it shows.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { open, violations } from "../support/inspector/page.ts";
import { InspectorServer } from "../support/inspector/server.ts";

let browser: Browser;
let server: InspectorServer;

beforeAll(async () => {
  browser = await openBrowser();
  server = await InspectorServer.start();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test.each(["/oplog?filter=nothing-has-this", "/pokes", "/mail"])(
  "events that were dropped are told at %s",
  async (path) => {
    const { page } = await open(browser, server.origin, path);
    await page.locator(".top-bar").getByText("live").waitFor();
    const before = server.dropped;
    server.drop(1_207);
    await page.getByText(`${(before + 1_207).toLocaleString("en-US")} missed`, { exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  },
);
