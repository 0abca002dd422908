// From asking for a mutation to its change where somebody looks. The commit lies in between, so that no clock of the worker
// has to be believed, and what is said is never too little.
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { openBrowser } from "../browser.mjs";
import { median } from "../statistics.mjs";
import { limit, startInspected } from "./inspected-app.mjs";

/** Milliseconds before each mutation of a sample: no multiples of a time that events are gathered for. */
const pauses = [113, 167, 131, 149, 103, 179, 139, 157, 127];

/**
 * Somebody who waits for changes.
 *
 * @typedef {object} Watcher
 * @property {() => Promise<() => Promise<{at: number, id: string}>>} expect gets ready for the next change; what it
 *   answers resolves with when it was seen (epoch milliseconds), and how the id of its row begins
 * @property {() => Promise<void>} close
 */

/**
 * @param {(app: import("./inspected-app.mjs").InspectedApp) => Promise<Watcher>} watch
 * @returns {import("../bench.mjs").Open}
 */
const latencyOf = (watch) => async (context) => {
  const app = await startInspected(context);
  try {
    await app.write();
    const watcher = await watch(app);
    const once = async () => {
      const seen = await watcher.expect();
      const asked = Date.now();
      const [id, change] = await Promise.all([app.write(), seen()]);
      if (!id.startsWith(change.id)) throw new Error(`\`${change.id}\` was seen, and \`${id}\` was written.`);
      return change.at - asked;
    };
    return {
      sample: async () => {
        const times = [];
        for (const pause of pauses) {
          await delay(pause);
          times.push(await once());
        }
        return median(times);
      },
      close: async () => {
        await watcher.close();
        await app.stop();
      },
    };
  } catch (error) {
    await app.stop();
    throw error;
  }
};

/** In the page: what resolves when the frame that shows another newest change has been drawn. */
function nextChange() {
  const list = document.querySelector(".list-body");
  const cell = (column) => list.querySelector(`.row:first-child .cell:nth-child(${column})`)?.textContent ?? "";
  const before = cell(1);
  globalThis.nextChange = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const [seq, row] = [cell(1), cell(6)];
      if (seq === before) return;
      observer.disconnect();
      // A task that comes after the frame's callbacks comes after the frame.
      requestAnimationFrame(() => setTimeout(() => resolve({ at: Date.now(), id: row.replace("…", "") })));
    });
    observer.observe(list, { subtree: true, childList: true, characterData: true });
  });
}

/** The op-log of all shards in a browser. */
export const onScreen = latencyOf(async ({ inspector: { origin, token } }) => {
  const browser = await openBrowser();
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${origin}/oplog#token=${token}`, { timeout: limit });
  await page.locator(".list-body .row").first().waitFor({ timeout: limit });
  return {
    expect: async () => {
      await page.evaluate(nextChange);
      return () => page.evaluate(() => globalThis.nextChange);
    },
    close: () => browser.close(),
  };
});

/** The feed of the page, without a page. */
export const inFeed = latencyOf(async ({ inspector: { origin, token } }) => {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/api/feed`, ["lunora.inspector", `token.${token}`]);
  /** @type {((change: {at: number, id: string}) => void) | undefined} */
  let take;
  socket.on("message", (data) => {
    const commit = JSON.parse(data.toString()).events?.find(({ type }) => type === "commit");
    if (commit !== undefined) take?.({ at: Date.now(), id: commit.changes[0].id });
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  const headers = { authorization: `Bearer ${token}` };
  const { timeline } = await (await fetch(`${origin}/api/status`, { headers })).json();
  socket.send(JSON.stringify({ after: timeline.next - 1 }));
  return {
    expect: async () => {
      const seen = new Promise((resolve) => {
        take = resolve;
      });
      return () => seen;
    },
    close: async () => socket.terminate(),
  };
});

/** Nobody looks: the answer to the mutation itself. */
export const answered = async (context) => {
  const app = await startInspected(context);
  return {
    sample: async () => {
      const times = [];
      for (const pause of pauses) {
        await delay(pause);
        const asked = Date.now();
        await app.write();
        times.push(Date.now() - asked);
      }
      return median(times);
    },
    close: app.stop,
  };
};
