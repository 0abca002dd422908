// Shapes and mutators from their declarations to a page: what is typed, generated, sent to browsers and kept live.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { TestApp, call, until } from "../support/app.ts";
import { openBrowser } from "../support/browser.ts";

const SECRET = "sk_live_of_the_server";

const files = {
  "package.json": `{ "name": "todos", "private": true, "type": "module", "dependencies": { "lunorash": "*" } }`,
  "vite.config.ts": `import { lunora } from "lunorash/vite";
export default { plugins: [lunora()] };
`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "es2022",
      lib: ["es2023", "dom", "dom.iterable"],
      module: "esnext",
      moduleResolution: "bundler",
      strict: true,
      noUnusedLocals: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: true,
      types: [],
    },
    include: ["lunora", "src"],
  }),
  "index.html": `<!doctype html><title>Todos</title>
<form><input name="text" placeholder="What to do" /><button>Add</button></form>
<ul id="open"></ul><ul id="room"></ul><p role="alert"></p>
<script type="module" src="/src/main.ts"></script>
`,
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({
  todos: defineTable({ text: v.string(), done: v.boolean() }),
  entries: defineTable({ room: v.string(), text: v.string(), at: v.number() }).shardBy("room"),
});
`,
  "lunora/app.ts": `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
  "lunora/shapes.ts": `import { shape, v } from "./_generated/server.js";

export const open = shape({ table: "todos", where: () => ({ done: false }) });

export const inRoom = shape({
  table: "entries",
  args: { room: v.string() },
  where: (_ctx, { room }) => ({ room }),
  columns: ["text"],
});
`,
  "lunora/lib/vault.ts": `export const KEY = "${SECRET}";
export const sign = (text: string): string => \`\${text} (\${KEY.length})\`;
`,
  "lunora/mutators.ts": `import { mutation, mutator, v } from "./_generated/server.js";
import { sign } from "./lib/vault.js";

const AUDIT = "${SECRET}";

export const add = mutator({
  args: { text: v.string() },
  apply: (ctx, args) => ctx.db.insert("todos", { text: args.text, done: false }),
  server: async (ctx, args): Promise<string> => {
    if (args.text === "refused") throw new Error(AUDIT);
    const id = await ctx.db.insert("todos", { text: sign(args.text), done: false });
    return id;
  },
});

export const finish = mutator({
  args: { id: v.id("todos") },
  apply: (ctx, { id }) => ctx.db.patch("todos", id, { done: true }),
});

export const write = mutator({
  args: { room: v.string(), text: v.string() },
  apply: (ctx, args) => ctx.db.insert("entries", { ...args, at: ctx.now }),
});

/** A function like others. */
export const clear = mutation.mutation(async ({ ctx }) => {
  for (const todo of await ctx.db.query("todos").collect()) await ctx.db.delete(todo._id);
});
`,
  "src/client.ts": `import { LunoraClient } from "lunorash/client";
import { shapes } from "lunorash/client/shapes";
import { api } from "../lunora/_generated/api.js";
import * as mutators from "../lunora/mutators";

export const client = new LunoraClient({ url: location.origin, shapes });
client.registerMutator(api.mutators.add, mutators.add.apply);
client.registerMutator(api.mutators.finish, mutators.finish.apply);
client.registerMutator(api.mutators.write, mutators.write.apply);
`,
  "src/main.ts": `import { api } from "../lunora/_generated/api.js";
import { client } from "./client";

const open = client.shape(api.shapes.open);
const room = client.shape(api.shapes.inRoom, { room: "kitchen" });

function show(list: string, texts: readonly string[]): void {
  const items = texts.map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  document.getElementById(list)?.replaceChildren(...items);
}

open.subscribe(() => show("open", open.getRows().map((todo) => \`\${todo.text} \${todo.done}\`)));
room.subscribe(() => show("room", room.getRows().map((entry) => entry.text)));

const form = document.querySelector("form") as HTMLFormElement;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = String(new FormData(form).get("text"));
  client.mutate(api.mutators.add, { text }).catch((error: unknown) => {
    (document.querySelector("[role=alert]") as HTMLElement).textContent = String(error);
  });
});

Object.assign(globalThis, {
  finishAll: () => Promise.all(open.getRows().map((todo) => client.mutate(api.mutators.finish, { id: todo._id }))),
  say: (text: string) => client.mutate(api.mutators.write, { room: "kitchen", text }),
});
`,
};

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

async function submit(page: Page, text: string): Promise<void> {
  await page.getByPlaceholder("What to do").fill(text);
  await page.getByRole("button", { name: "Add" }).click();
}

async function finished(bin: string, commandArguments: string[]): Promise<{ code: number | string; output: string }> {
  const program = app.run(bin, commandArguments);
  const code = await program.ended();
  return { code, output: program.output };
}

/** What source maps inside a module of the development server carry. */
function textOfMaps(module: string): string {
  const maps = module.matchAll(/sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)/g);
  return Array.from(maps, ([, map]) => Buffer.from(map ?? "", "base64").toString()).join("\n");
}

describe("shapes and mutators", () => {
  test("a page shows what a mutator does at once, and what the server made of it everywhere", async () => {
    app = TestApp.of("todos", files);
    const { url } = await app.dev();
    const [mine, theirs] = [await browser.newPage(), await browser.newPage()];
    const failures: string[] = [];
    mine.on("pageerror", (error) => failures.push(String(error)));
    await Promise.all([mine.goto(url), theirs.goto(url)]);
    const signed = `bread (${SECRET.length}) false`;
    await submit(mine, "bread");
    await mine.getByText(signed).waitFor();
    await theirs.getByText(signed).waitFor();
    // Both halves made one row, under one id.
    expect(await mine.locator("#open li").allTextContents()).toEqual([signed]);

    // A refusal takes back what was shown.
    await submit(mine, "refused");
    await until("it is told", async () => (await mine.getByRole("alert").textContent()) !== "");
    expect(await mine.locator("#open li").allTextContents()).toEqual([signed]);

    // A shape of one shard, with the columns that it names.
    await theirs.evaluate(() => (globalThis as unknown as { say: (text: string) => unknown }).say("hello"));
    await mine.locator("#room").getByText("hello").waitFor();

    // It leaves the shape everywhere when its condition does not hold any more.
    await theirs.evaluate(() => (globalThis as unknown as { finishAll: () => unknown }).finishAll());
    await until("it has left", async () => (await mine.locator("#open li").count()) === 0);
    expect(failures).toEqual([]);

    // What the browser was given in development.
    const module = await (await fetch(`${url}/lunora/mutators.ts`)).text();
    expect(module).toContain("apply");
    expect(textOfMaps(module)).toContain("apply");
    expect(textOfMaps(module)).not.toMatch(/sk_live|vault/);
    expect(module).not.toMatch(/sk_live|vault|_generated\/server|sign\(|clear/);
    await Promise.all([mine.close(), theirs.close()]);
  });

  test("shapes and mutators that come and go while it runs", async () => {
    const { "lunora/shapes.ts": shapes, "lunora/mutators.ts": mutators, ...rest } = files;
    app = TestApp.of("todos-late", { ...rest, "index.html": "", "src/main.ts": "", "src/client.ts": "" });
    const { url } = await app.dev();
    await expect(call(url, "mutators:add", { text: "a" })).rejects.toMatchObject({ code: "FUNCTION_NOT_FOUND" });
    app.write("lunora/mutators.ts", mutators);
    await until("the mutator is served", () => call(url, "mutators:add", { text: "a" }));
    expect(app.read("lunora/_generated/worker.ts")).not.toContain("shapes");
    app.write("lunora/shapes.ts", shapes);
    await until("the shapes are registered", () => app.read("lunora/_generated/shapes.ts").includes("inRoom"));
    await until("the worker has them", () =>
      app.read("lunora/_generated/worker.ts").includes("functions, shapes, shaping, app"),
    );
    expect(app.read("lunora/_generated/api.ts")).toContain('shapeReference("inRoom", "entries"');
    app.remove("lunora/shapes.ts");
    await until("they are gone", () => !app.read("lunora/_generated/worker.ts").includes("shapes"));
    expect(readdirSync(app.path("lunora/_generated"))).not.toContain("shapes.ts");
    app.remove("lunora/mutators.ts");
    await until("the mutator is gone", async () => {
      const refused = await call(url, "mutators:add", { text: "a" }).catch((error: { code: string }) => error.code);
      return refused === "FUNCTION_NOT_FOUND";
    });
  });

  test("what a page must not run is shown in its overlay, with its place", async () => {
    app = TestApp.of("todos-refused", files);
    const { url } = await app.dev();
    app.edit("lunora/mutators.ts", "text: args.text, done", "text: v.string() && args.text, done");
    const page = await browser.newPage();
    await page.goto(url);
    const overlay = page.locator("vite-error-overlay");
    await overlay.waitFor();
    const text = await overlay.locator(".window").innerText();
    expect(text).toContain("CLIENT_REACHES_SERVER");
    expect(text).toContain("lunora/mutators.ts:1:29");
    await page.close();
  });

  test("a built client holds nothing of the server", async () => {
    app = TestApp.of("todos-built", files);
    app.edit("vite.config.ts", "{ plugins", "{ build: { sourcemap: true }, plugins");
    const { code, output } = await finished("vite", ["build"]);
    expect(code, output).toBe(0);
    const assets = app.path("dist/client/assets");
    const client = readdirSync(assets)
      .map((name) => readFileSync(join(assets, name), "utf8"))
      .join("\n");
    // It is there, in code and maps...
    expect(readdirSync(assets).some((name) => name.endsWith(".map"))).toBe(true);
    expect(client).toContain("mutators:add");
    expect(client).toMatch(/insert\([`"']todos[`"']/);
    expect(client).toMatch(/patch\([`"']todos[`"']/);
    // ...and alone.
    expect(client).not.toMatch(/sk_live|defineMutator|a mutator has no|defineSchema|initLunora/);
    expect(app.read("dist/worker/worker.js")).toContain(SECRET);
  });

  test("arguments and rows are typed, and --check sees what is stale", async () => {
    app = TestApp.of("todos-typed", files);
    const generated = await finished("lunora", ["codegen"]);
    expect(generated.code, generated.output).toBe(0);
    expect((await finished("lunora", ["codegen", "--check"])).code).toBe(0);
    app.write(
      "src/types.ts",
      `import type { Id } from "../lunora/_generated/dataModel.js";
import { api } from "../lunora/_generated/api.js";
import { client } from "./client";

export const open: readonly { readonly _id: Id<"todos">; readonly text: string; readonly done: boolean }[] =
  client.shape(api.shapes.open).getRows();
export const texts: readonly string[] = client.shape(api.shapes.inRoom, { room: "a" }).getRows().map(({ text }) => text);
export const id: Promise<string> = client.mutate(api.mutators.add, { text: "a" });
// @ts-expect-error A shape with arguments is given them.
client.shape(api.shapes.inRoom);
// @ts-expect-error Of their type.
client.shape(api.shapes.inRoom, { room: 1 });
// @ts-expect-error A column that the shape does not share.
client.shape(api.shapes.inRoom, { room: "a" }).getRows().map(({ at }) => at);
// @ts-expect-error The arguments of the mutator.
void client.mutate(api.mutators.add, { body: "a" });
`,
    );
    const sound = await finished("tsc", ["-p", "."]);
    expect(sound.code, sound.output).toBe(0);

    app.edit("lunora/shapes.ts", 'columns: ["text"]', 'columns: ["at"]');
    const broken = await finished("tsc", ["-p", "."]);
    expect(broken.code).not.toBe(0);
    expect(broken.output).toContain("src/types.ts");
    app.edit("lunora/shapes.ts", "export const open", "export const all");
    const stale = await finished("lunora", ["codegen", "--check"]);
    expect(stale.code).not.toBe(0);
    expect(stale.output).toMatch(/GENERATED_STALE[\s\S]*shapes\.ts/);
  });
});
