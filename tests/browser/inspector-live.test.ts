// The inspector of a real app: the chat under `vite dev`, its own worker, its own writes.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { TestApp, call, until } from "../support/app.ts";
import { openBrowser } from "../support/browser.ts";
import { open, violations } from "../support/inspector/page.ts";
import type { Opened } from "../support/inspector/page.ts";

const shots = join(import.meta.dirname, "..", "..", "target", "inspector-screenshots");

let app: TestApp;
let browser: Browser;
let url: string;
let inspector: { origin: string; token: string };

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await openBrowser();
  app = TestApp.copyOf("chat");
  const dev = await app.dev();
  ({ url } = dev);
  const link = await until("the link is printed", () => /Lunora:\s+(http:\/\/\S+)#token=(\S+)/.exec(dev.vite.output));
  inspector = { origin: new URL(link[1] ?? "").origin, token: link[2] ?? "" };
});

afterAll(async () => {
  await browser.close();
  await app.dispose();
});

const visit = (path = "/"): Promise<Opened> => open(browser, inspector.origin, path, "light", inspector.token);

test("from a row of the app to the mutation that wrote it, and to its pokes", async () => {
  await call(url, "channels:create", { name: "inspected" });
  const { _id } = (await call(url, "channels:byName", { name: "inspected" })) as { _id: string };
  // Somebody looks at the channel, so that there is somebody to poke.
  const reader = await (await browser.newContext({ locale: "en-GB" })).newPage();
  await reader.goto(`${url}/c/inspected`);
  await reader.getByRole("textbox", { name: /^Message to/ }).waitFor();
  const { page, faults } = await visit("/oplog");
  await reader.getByRole("textbox", { name: /^Message to/ }).fill("Seen by the inspector");
  await reader.keyboard.press("Enter");
  await page.locator(".list-body .row", { hasText: "messages" }).first().click();
  await page.getByText("Seen by the inspector").first().waitFor();
  await page.screenshot({ path: join(shots, "live-op.png") });
  await page.locator(".facts a", { hasText: /^messages:/ }).click();
  await page.getByRole("heading", { level: 1, name: /^Call/ }).waitFor();
  await page.locator(".plain-list a").first().click();
  await page.getByRole("heading", { level: 1, name: /^Poke/ }).waitFor();
  await page.screenshot({ path: join(shots, "live-poke.png") });
  // The other way: from the row, as it is stored, in two clicks.
  await page.goto(`${inspector.origin}/data/${encodeURIComponent(`channelId=${_id}`)}/messages`);
  await page.locator(".list-body .row").first().click();
  await page.locator(".history").getByRole("link", { name: "messages:send" }).waitFor();
  // Ids of rows have a dot, and their addresses outlive a reload.
  await page.reload();
  await page.locator(".history").getByRole("link", { name: "messages:send" }).click();
  await page.getByRole("heading", { level: 1, name: /^Call/ }).waitFor();
  expect(faults).toEqual([]);
});

test("a commit of a busy second has a row that leads to the shard's log", async () => {
  app.write(
    "lunora/busy.ts",
    `import { mutation, v } from "./_generated/server.js";
export const talk = mutation.input({ name: v.string(), lines: v.number() }).mutation(async ({ ctx, args }) => {
  for (let line = 0; line < args.lines; line += 1) console.log("line", line);
  await ctx.db.insert("channels", { name: args.name });
});
`,
  );
  const talk = (name: string, lines: number): Promise<unknown> => call(url, "busy:talk", { name, lines });
  await until("the function is there", () => talk("quiet", 0).then(() => true));
  const { page, faults } = await visit("/oplog");
  const rows = page.locator(".list-body .row");
  const told = rows.filter({ hasText: "busy:talk" });
  await told.first().waitFor();
  const before = await told.count();
  // The first tells the worker that somebody looks.
  for (const [index, name] of ["first", "second"].entries()) {
    await talk(name, 0);
    await until("it is on the page", async () => (await told.count()) === before + index + 1);
  }
  // Lines are told whatever there is of them; the commit behind them in the same second is one too many.
  await talk("busy", 2_500);
  const busy = rows.filter({ has: page.getByText("1 op", { exact: true }) });
  await busy.waitFor();
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(shots, "live-busy.png") });
  await busy.click();
  await page.getByText(/^A mutation of this commit wrote it, in a second with more/).waitFor();
  expect(await page.locator("main").innerText()).toContain('"busy"');
  await page.screenshot({ path: join(shots, "live-busy-op.png") });
  expect(faults).toEqual([]);
});

test("every view has the app's own data, and axe finds nothing", async () => {
  const { page, faults } = await visit();
  const views: readonly (readonly [string, string, string])[] = [
    ["h", "Overview", ".facts"],
    ["s", "Shards", ".list-body .row"],
    ["f", "Functions", ".list-body .row"],
    ["j", "Scheduled", ".section"],
    ["r", "Residency", ".table"],
    ["e", "Schema", ".cards .card"],
    ["m", "Mail", ".empty"],
    ["d", "Data", ".chips .button"],
  ];
  for (const [letter, title, sign] of views) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    await page.locator(`main ${sign}`).first().waitFor();
    expect(await page.locator("main .notice").count(), title).toBe(0);
    expect(await violations(page), title).toEqual([]);
    await page.screenshot({ path: join(shots, `live-${title.toLowerCase()}.png`) });
  }
  expect(faults).toEqual([]);
});
