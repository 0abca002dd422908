// How smooth the inspector's lists are. Prints what it measures and asserts no time: a machine may be busy.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { open } from "../support/inspector/page.ts";
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

interface Frames {
  readonly frames: number;
  readonly median: number;
  readonly slowest: number;
  readonly work: number;
}

/** Scrolls through a list for two seconds and tells how long frames took, milliseconds; `work` is the median script time. */
function scroll(page: Page): Promise<Frames> {
  return page.evaluate(async () => {
    const list = document.querySelector(".list");
    if (list === null) throw new Error("there is no list");
    const [times, works]: [number[], number[]] = [[], []];
    const end = performance.now() + 2000;
    let last = performance.now();
    while (performance.now() < end) {
      list.scrollTop += 400;
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) list.scrollTop = 0;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const begun = performance.now();
      times.push(begun - last);
      last = begun;
      await new Promise((resolve) => setTimeout(resolve));
      works.push(performance.now() - begun);
    }
    const middle = (values: number[]): number =>
      Math.round((values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0) * 10) / 10;
    return {
      frames: times.length,
      median: middle(times),
      slowest: Math.round(Math.max(...times)),
      work: middle(works),
    };
  });
}

const elements = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll("*").length);

test("lists are smooth, whatever their length", async () => {
  const said: Record<string, unknown> = {};
  const { page: shards } = await open(browser, server.origin, "/shards");
  await shards.locator(".list-body .row").first().waitFor();
  said["10,000 shards"] = { ...(await scroll(shards)), elements: await elements(shards) };
  await shards.context().close();

  const { page: log } = await open(browser, server.origin, `/oplog/${encodeURIComponent("messages:general")}`);
  await log.locator(".list-body .row").first().waitFor();
  said["1,000,000 changes"] = { ...(await scroll(log)), elements: await elements(log) };
  await log.context().close();

  const { page } = await open(browser, server.origin, "/logs");
  await page.locator(".list-body .row").first().waitFor();
  // A million lines go by while somebody scrolls; the page keeps the newest.
  const begun = performance.now();
  let last = 0;
  const telling = (async () => {
    for (let round = 0; round < 100; round += 1) {
      last = server.log(10_000);
      await new Promise((resolve) => setTimeout(resolve));
    }
  })();
  said["while 1,000,000 lines arrive"] = await scroll(page);
  await telling;
  console.log(said);
  await page.waitForFunction(
    (text) => {
      // What arrives is put above what is looked at.
      document.querySelector(".list")?.scrollTo({ top: 0 });
      return document.querySelector(".list-body .row .log-text")?.textContent === text;
    },
    `line ${last}`,
    { timeout: 60_000 },
  );
  said["until the last is shown, ms"] = Math.round(performance.now() - begun);
  said["afterwards"] = { ...(await scroll(page)), elements: await elements(page) };
  console.log(said);
  expect(await page.locator(".list-body .row").count()).toBeLessThan(60);
});
