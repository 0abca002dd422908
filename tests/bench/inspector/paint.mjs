// From the navigation to the first paint, as the browser itself tells it.
import { createServer } from "node:http";
import { openBrowser } from "../browser.mjs";
import { loopback } from "../rpc.mjs";
import { limit, startInspected } from "./inspected-app.mjs";

/**
 * Milliseconds from the navigation to the first paint with something on it, and to the data (`look`; without it the paint
 * shows them), in a profile without caches.
 */
async function firstPaint(browser, address, look) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address, { timeout: limit });
    const data = await look?.(page);
    const value = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const take = (list) => {
            const [paint] = list.getEntriesByName("first-contentful-paint");
            if (paint !== undefined) resolve(paint.startTime);
          };
          new PerformanceObserver(take).observe({ type: "paint", buffered: true });
        }),
    );
    return { value, data: data ?? value };
  } finally {
    await context.close();
  }
}

/** When the list has its first row, milliseconds from the navigation. */
async function firstRow(page) {
  const shown = await page.waitForFunction(
    () => (document.querySelector(".list-body .row") === null ? false : performance.now()),
    undefined,
    { polling: "raf", timeout: limit },
  );
  return shown.jsonValue();
}

/**
 * The op-log of the inspector, with a row in it.
 *
 * @type {import("../bench.mjs").Open}
 */
export const inspectorPaint = async (context) => {
  const app = await startInspected(context);
  try {
    await app.write();
    const browser = await openBrowser();
    const { origin, token } = app.inspector;
    return {
      sample: () => firstPaint(browser, `${origin}/oplog#token=${token}`, firstRow),
      close: async () => {
        await browser.close();
        await app.stop();
      },
    };
  } catch (error) {
    await app.stop();
    throw error;
  }
};

/**
 * A page of one word, without script or style.
 *
 * @type {import("../bench.mjs").Open}
 */
export const emptyPagePaint = async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
    response.end("<!doctype html><title>A page</title><p>Hello");
  });
  await new Promise((resolve) => server.listen(0, loopback, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const browser = await openBrowser();
  return {
    sample: () => firstPaint(browser, `http://${loopback}:${port}/`),
    close: async () => {
      await browser.close();
      server.close();
    },
  };
};
