// The client's IndexedDB storage and its locks between tabs, in a real browser and without a server.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { build } from "rolldown";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser } from "../support/browser.ts";
import type { ClientPage } from "../support/client-page.ts";

declare const page: ClientPage;

let browser: Browser;
let server: Server;
let origin: string;
let profile: BrowserContext;

beforeAll(async () => {
  const { output } = await build({
    input: join(import.meta.dirname, "../support/client-page.ts"),
    platform: "browser",
    write: false,
    resolve: { conditionNames: ["@lunora/source", "browser", "import", "default"] },
    output: { format: "iife", codeSplitting: false },
  });
  const html = `<!doctype html><script>${output[0].code.replaceAll("</", "<\\/")}</script>`;
  server = createServer((request, response) => {
    if (request.url !== "/") response.writeHead(404).end();
    else response.writeHead(200, { "content-type": "text/html" }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(async () => {
  profile = await browser.newContext();
});

afterEach(() => profile.close());

/** Another tab of the same profile. */
async function tab(): Promise<Page> {
  const opened = await profile.newPage();
  await opened.goto(origin);
  return opened;
}

/** Ends the process that shows the page: no handler of it runs any more. */
async function kill(killed: Page): Promise<void> {
  const crashed = killed.waitForEvent("crash");
  const session = await killed.context().newCDPSession(killed);
  // The answer is lost with the process.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

const keys = (of: Page, prefix = ""): Promise<string[]> =>
  of.evaluate(async (begin) => (await page.storage.list(begin)).map(([key]) => key), prefix);

describe("the storage", () => {
  test("lists what begins alike in the order of the keys, changes and removes, and outlives the page", async () => {
    const first = await tab();
    expect(await keys(first)).toEqual([]);
    await first.evaluate(() =>
      page.storage.write([
        ["o/b/2", { n: 2, text: "\u{1f600} ü", list: [null, 1.5, true] }],
        ["o/a/1", 1],
        ["o0", "not within o/"],
        ["q/ada/x::{}::", { value: "kept" }],
        ["o/b/10", 10],
      ]),
    );
    await first.evaluate(() =>
      page.storage.write([
        ["o/a/1", "changed"],
        ["o/b/10", undefined],
        ["o/none", undefined],
      ]),
    );
    await first.close();
    const second = await tab();
    expect(await second.evaluate(() => page.storage.list("o/"))).toEqual([
      ["o/a/1", "changed"],
      ["o/b/2", { n: 2, text: "\u{1f600} ü", list: [null, 1.5, true] }],
    ]);
    expect(await keys(second, "q/ada/")).toEqual(["q/ada/x::{}::"]);
    expect(await keys(second)).toEqual(["o/a/1", "o/b/2", "o0", "q/ada/x::{}::"]);
  });

  test("takes all changes of a call or none", async () => {
    const only = await tab();
    const failure = await only.evaluate(() =>
      page.storage
        .write([
          ["before", 1],
          ["unstorable", () => 1],
          ["behind", 1],
        ])
        .then(String, (error: Error) => error.name),
    );
    expect(failure).toBe("DataCloneError");
    expect(await keys(only)).toEqual([]);
    await only.evaluate(() => page.storage.write([["later", 1]]));
    expect(await keys(only)).toEqual(["later"]);
  });

  test("is one for all tabs of a profile, whose writes at once lose nothing", async () => {
    const tabs = [await tab(), await tab()];
    await Promise.all(
      tabs.map((each, name) =>
        each.evaluate(async (of) => {
          const writes = Array.from({ length: 50 }, (_, n) => page.storage.write([[`o/${of}/${n + 100}`, n]]));
          await Promise.all(writes);
        }, name),
      ),
    );
    for (const each of tabs) expect(await keys(each, "o/")).toHaveLength(100);
    const stranger = await browser.newContext();
    const other = await stranger.newPage();
    await other.goto(origin);
    expect(await keys(other)).toEqual([]);
    await stranger.close();
  });

  test("makes way for a tab that upgrades or deletes the database", async () => {
    const [user, upgrader] = [await tab(), await tab()];
    await user.evaluate(() => page.storage.write([["a", 1]]));
    const deleted = await upgrader.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const request = indexedDB.deleteDatabase(page.name);
          request.addEventListener("success", () => resolve("deleted"));
          request.addEventListener("blocked", () => resolve("blocked"));
        }),
    );
    expect(deleted).toBe("deleted");
    // It begins anew.
    await user.evaluate(() => page.storage.write([["b", 1]]));
    expect(await keys(user)).toEqual(["b"]);
    const upgraded = await upgrader.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const request = indexedDB.open(page.name, 2);
          request.addEventListener("blocked", () => resolve("blocked"));
          request.addEventListener("success", () => resolve(`version ${request.result.version}`));
        }),
    );
    expect(upgraded).toBe("version 2");
    // A page of the earlier version cannot use it any more, and is told so each time.
    for (const attempt of [1, 2]) {
      const told = await user.evaluate(() => page.storage.list("").then(String, (error: Error) => error.name));
      expect([attempt, told]).toEqual([attempt, "VersionError"]);
    }
  });

  test("waits for a tab that does not make way, and goes on when it is gone", async () => {
    const [holder, user] = [await tab(), await tab()];
    await holder.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const request = indexedDB.open(page.name, 1);
          request.addEventListener("upgradeneeded", () => request.result.createObjectStore("entries"));
          request.addEventListener("success", () => resolve());
        }),
    );
    await user.evaluate(
      () =>
        new Promise<void>((resolve) => {
          indexedDB.deleteDatabase(page.name).addEventListener("blocked", () => resolve());
        }),
    );
    const written = user.evaluate(() => page.storage.write([["a", 1]]));
    await holder.close();
    await written;
    expect(await keys(user)).toEqual(["a"]);
  });

  test("says that it is full and keeps what it has", async () => {
    const only = await tab();
    const session = await profile.newCDPSession(only);
    // Before the first write: the browser remembers for a while how much room there is.
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
    const write = (prefix: string, length: number): Promise<string> =>
      only.evaluate(
        ([begin, count]) => {
          const changes = Array.from({ length: count }, (_, n) => [`${begin}/${n}`, "x".repeat(10_000)] as const);
          return page.storage.write(changes).then(
            () => "written",
            (error: Error) => error.name,
          );
        },
        [prefix, length] as const,
      );
    expect(await write("few", 2)).toBe("written");
    expect(await write("many", 100)).toBe("QuotaExceededError");
    expect(await keys(only)).toEqual(["few/0", "few/1"]);
    // What removes goes on, and so does what fits.
    await only.evaluate(() => page.storage.write([["few/0", undefined]]));
    expect(await write("one", 1)).toBe("written");
    expect(await keys(only)).toEqual(["few/1", "one/0"]);
  });
});

describe("a client", () => {
  test("leaves to the storage what waits, for the next page to find", async () => {
    const first = await tab();
    await first.evaluate(() => void (page.opened = page.openClient()));
    await expect.poll(() => keys(first, "o/")).toHaveLength(1);
    await kill(first);
    const next = await tab();
    await next.evaluate(() => void (page.opened = page.openClient()));
    const pending = () => next.evaluate(() => page.opened?.client.pendingCount.getSnapshot());
    await expect.poll(pending, { timeout: 30_000 }).toBe(2);
    expect(await next.evaluate(() => page.opened?.errors)).toEqual([]);
  });

  test("goes on from memory where there is no IndexedDB", async () => {
    await profile.addInitScript(() => void Object.defineProperty(window, "indexedDB", { value: undefined }));
    const only = await tab();
    await only.evaluate(() => void (page.opened = page.openClient()));
    const seen = await only.evaluate(() => [page.opened?.client.pendingCount.getSnapshot(), page.opened?.errors]);
    expect(seen).toEqual([1, []]);
  });

  test("goes on from memory where the database cannot be opened, and tells it", async () => {
    await profile.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("No storage in this mode", "InvalidStateError");
      };
    });
    const only = await tab();
    await only.evaluate(() => void (page.opened = page.openClient()));
    await expect.poll(() => only.evaluate(() => page.opened?.errors.length)).toBeGreaterThan(0);
    const seen = await only.evaluate(() => [page.opened?.client.pendingCount.getSnapshot(), page.opened?.errors]);
    expect(seen).toEqual([1, expect.arrayContaining(["InvalidStateError: No storage in this mode"])]);
  });
});

describe("tabs", () => {
  const lane = async (clientId: string): Promise<Page> => {
    const opened = await tab();
    await opened.evaluate(async (name) => void (page.lane = await page.openLane(name)), clientId);
    return opened;
  };
  const adopted = (of: Page): Promise<readonly string[] | undefined> => of.evaluate(() => page.lane?.adopted);

  test("leave each other alone while they live, and one takes over from one that is killed", async () => {
    const [leader, second, third] = [await lane("one"), await lane("two"), await lane("three")];
    for (const each of [leader, second, third]) await each.evaluate(() => page.lane?.scan());
    for (const each of [leader, second, third]) expect(await adopted(each)).toEqual([]);
    // Nobody of the two who are left has asked: the leader's lock goes to one of them, who looks.
    await kill(leader);
    await expect
      .poll(async () => [await adopted(second), await adopted(third)].flat(), { timeout: 30_000 })
      .toEqual(["one"]);
    // And from the new leader to the last.
    const [heir, last] = (await adopted(second))?.length === 1 ? [second, third] : [third, second];
    await kill(heir);
    await expect
      .poll(async () => [...((await adopted(last)) ?? [])].sort(), { timeout: 30_000 })
      .toEqual(["one", heir === second ? "two" : "three"].sort());
  });

  test("take what a tab left that was closed while nobody led", async () => {
    const gone = await lane("gone");
    await gone.close();
    const next = await lane("next");
    await next.evaluate(() => page.lane?.scan());
    expect(await adopted(next)).toEqual(["gone"]);
  });
});
