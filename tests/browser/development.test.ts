// What a developer sees while editing: saves show in the browser, errors in the overlay, and data stays.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { TestApp, call, until, workerdsBelow, workerdsWithDataOf } from "../support/app.ts";
import { openBrowser } from "../support/browser.ts";

let browser: Browser;
let app: TestApp;

beforeAll(async () => {
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
});

afterEach(async () => {
  await app.dispose();
});

describe("vite dev", () => {
  test("shows edits of a function and of the schema, and keeps the data", async () => {
    app = TestApp.copyOf("minimal");
    const { url, vite } = await app.dev();
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByPlaceholder("Write a note").fill("first");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("listitem").filter({ hasText: "first" }).waitFor();

    app.edit("lunora/notes.ts", "{ text: args.text }", "{ text: `${args.text}!` }");
    await until("the edit is served", () => vite.output.includes("worker reloaded"));
    await page.getByPlaceholder("Write a note").fill("second");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("listitem").filter({ hasText: "second!" }).waitFor();

    app.edit("lunora/schema.ts", "text: v.string()", "text: v.string(), pinned: v.optional(v.boolean())");
    await until("the types know the column", () =>
      app.read("lunora/_generated/dataModel.ts").includes("pinned?: boolean"),
    );
    app.edit("lunora/notes.ts", "{ text: `${args.text}!` }", "{ text: args.text, pinned: true }");
    await until("the new column is written", async () => {
      await call(url, "notes:add", { text: "third" });
      const notes = (await call(url, "notes:list")) as { pinned?: boolean }[];
      return notes.some((note) => note.pinned);
    });
    await page.reload();
    await page.getByRole("listitem").filter({ hasText: "first" }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "third" }).first().waitFor();
    await page.close();
  });

  test("shows an error in the overlay with its place, serves on, and recovers", async () => {
    app = TestApp.copyOf("minimal");
    const { url } = await app.dev();
    const page = await browser.newPage();
    await page.goto(url);
    await call(url, "notes:add", { text: "kept" });

    const good = app.read("lunora/notes.ts");
    app.write("lunora/notes.ts", `${good}\nexport const broken = ;\n`);
    const overlay = page.locator("vite-error-overlay");
    await overlay.waitFor();
    const text = await overlay.locator(".window").innerText();
    expect(text).toContain("SYNTAX_ERROR");
    expect(text).toContain("lunora/notes.ts:9:23");
    expect(text).toContain("export const broken = ;");
    expect(await call(url, "notes:list")).toHaveLength(1);

    const late = await browser.newPage();
    await late.goto(url);
    await late.locator("vite-error-overlay").waitFor();
    await late.close();

    app.write("lunora/notes.ts", good);
    await overlay.waitFor({ state: "detached" });
    await page.getByRole("listitem").filter({ hasText: "kept" }).waitFor();
    await page.close();
  });

  test("shows a worker that throws at start, with its place, and keeps the last good one", async () => {
    app = TestApp.copyOf("minimal");
    const { url, vite } = await app.dev();
    const page = await browser.newPage();
    await page.goto(url);
    await call(url, "notes:add", { text: "kept" });
    const good = app.read("lunora/schema.ts");
    app.write("lunora/schema.ts", `${good}\nthrow new Error("at the top level");\n`);
    const overlay = page.locator("vite-error-overlay");
    await overlay.waitFor();
    const text = await overlay.locator(".window").innerText();
    expect(text).toContain("WORKER_START_FAILED");
    expect(text).toContain("at the top level");
    expect(text).toContain("lunora/schema.ts:7:7");
    expect(vite.output).toContain("the last good worker keeps serving");
    expect(await call(url, "notes:list")).toHaveLength(1);
    app.write("lunora/schema.ts", good);
    await overlay.waitFor({ state: "detached" });
    await page.close();
  });

  test("two apps run side by side", async () => {
    app = TestApp.copyOf("minimal");
    const other = TestApp.copyOf("minimal");
    try {
      const [one, two] = await Promise.all([app.dev(), other.dev()]);
      await call(one.url, "notes:add", { text: "one" });
      expect(await call(one.url, "notes:list")).toHaveLength(1);
      expect(await call(two.url, "notes:list")).toHaveLength(0);
    } finally {
      await other.dispose();
    }
  });

  test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("leaves no workerd behind after %s", async (signal) => {
    app = TestApp.copyOf("minimal");
    const { url, vite } = await app.dev();
    await call(url, "notes:list");
    // Beside the one that serves, another may wait for the next worker.
    expect(workerdsWithDataOf(app.folder)).toHaveLength(1);
    await vite.stop(signal);
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
  });

  test("survives a Vite restart with the same worker", async () => {
    app = TestApp.copyOf("minimal");
    const { url, vite } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    const before = workerdsWithDataOf(app.folder);
    expect(before).toHaveLength(1);
    app.write("vite.config.ts", `${app.read("vite.config.ts")}// touched\n`);
    await until("vite restarts", () => vite.output.includes("server restarted"));
    expect(await until("the worker answers", () => call(url, "notes:list"))).toHaveLength(1);
    expect(workerdsWithDataOf(app.folder)).toEqual(before);
  });

  test("console output and stacks reach the terminal with source positions", async () => {
    app = TestApp.copyOf("minimal");
    app.edit(
      "lunora/notes.ts",
      "=> ctx.db.insert",
      '=> { console.log("adding", args); if (args.text === "bad") throw new Error("no such note"); return ctx.db.insert',
    );
    app.edit("lunora/notes.ts", "{ text: args.text }));", "{ text: args.text }); });");
    const { url, vite } = await app.dev();
    await call(url, "notes:add", { text: "good" });
    await until("the line is there", () => vite.output.includes("adding { text: 'good' }"));
    await expect(call(url, "notes:add", { text: "bad" })).rejects.toMatchObject({ code: "INTERNAL", status: 500 });
    await until("the stack is there", () => /no such note[\s\S]*lunora\/notes\.ts:7:\d+/.test(vite.output));
  });
});
