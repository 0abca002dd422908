// The chat playground, running, and people who visit it.
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { TestApp, call } from "./app.ts";
import { openBrowser } from "./browser.ts";

/** Where a page's messages are written. */
export const composer = (page: Page): Locator => page.getByRole("textbox", { name: /^Message to/ });

/** Messages with this text, in the list of a channel. */
export const message = (page: Page, text: string): Locator =>
  page.locator(".messages").getByRole("listitem").filter({ hasText: text });

/** Writes a message and sends it. */
export async function send(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

/** Resolves when the server has stored the message: only then its author can edit it. */
export async function confirmed(page: Page, text: string): Promise<void> {
  await message(page, text).getByRole("button", { name: /^Edit/ }).waitFor({ state: "attached" });
}

/** The texts of the messages on a page, from top to bottom. */
export function texts(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll(".messages .message .body")].map(
      (element) => [...element.childNodes].find((node) => node.nodeType === Node.TEXT_NODE)?.textContent ?? "",
    ),
  );
}

/** Whether the text is in the browser's storage, where a reload finds it. */
export function isKept(page: Page, text: string): Promise<boolean> {
  return page.evaluate(async (wanted) => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- only this function runs in the page
    const done = <Value>(request: IDBRequest<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        request.addEventListener("success", () => resolve(request.result));
        request.addEventListener("error", () => reject(request.error));
      });
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name ?? ""));
      for (const store of database.objectStoreNames) {
        const rows = await done(database.transaction(store).objectStore(store).getAll());
        if (JSON.stringify(rows).includes(wanted)) return true;
      }
      database.close();
    }
    return false;
  }, text);
}

/** A chat of the test's own: app, server and browser. */
export class Chat {
  readonly app: TestApp;
  readonly url: string;
  readonly #browser: Browser;
  #contexts: BrowserContext[] = [];
  #channels = 0;

  private constructor(app: TestApp, url: string, browser: Browser) {
    this.app = app;
    this.url = url;
    this.#browser = browser;
  }

  static async start(): Promise<Chat> {
    const browser = await openBrowser();
    const app = TestApp.copyOf("chat");
    try {
      const { url } = await app.dev();
      return new Chat(app, url, browser);
    } catch (error) {
      await browser.close();
      await app.dispose();
      throw error;
    }
  }

  /** A browser of one's own, with one's own name. */
  async person(author: string): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ locale: "en-GB", viewport: { width: 1024, height: 720 } });
    this.#contexts.push(context);
    await context.addInitScript((name) => localStorage.setItem("lunora-chat:author", name), author);
    return context;
  }

  /** A page in a browser of one's own. */
  async visit(author: string, path = "/"): Promise<Page> {
    return this.open(await this.person(author), path);
  }

  /** A further tab. */
  async open(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(this.url + path);
    return page;
  }

  /** A channel of the test's own, made as any client could. */
  async channel(topic: string): Promise<{ name: string; id: string }> {
    this.#channels += 1;
    const name = `${topic}-${this.#channels}`;
    await call(this.url, "channels:create", { name });
    const { _id } = (await call(this.url, "channels:byName", { name })) as { _id: string };
    return { name, id: _id };
  }

  /** The texts of the stored messages, in their order. */
  async stored(channelId: string): Promise<string[]> {
    const rows = (await call(this.url, "messages:list", { channelId })) as { body: string }[];
    return rows.map((row) => row.body).toReversed();
  }

  /** Everybody leaves. */
  async leave(): Promise<void> {
    for (const context of this.#contexts) await context.close();
    this.#contexts = [];
  }

  async end(): Promise<void> {
    await this.#browser.close();
    await this.app.dispose();
  }
}
