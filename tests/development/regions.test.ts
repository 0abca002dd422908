// An app that declares a jurisdiction, in development: where its bytes are, and what a change of mind does.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestApp, call, until, workerdsBelow } from "../support/app.ts";
import type { Program } from "../support/app.ts";
import { bundleTap } from "../../npm/do/tap/build.mjs";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

const UNPINNED = "notes: defineTable({ text: v.string() }),\n})";

/** Pins the app, or takes the jurisdiction away. */
function declare(jurisdiction: string | null): void {
  const schema = app.read("lunora/schema.ts").replace(/\)\.jurisdiction\("[a-z]+"\);|\);\s*$/, ");\n");
  if (!schema.includes(UNPINNED)) throw new Error(`the schema is not the one expected:\n${schema}`);
  app.write(
    "lunora/schema.ts",
    jurisdiction === null ? schema : schema.replace(/\);\s*$/, `).jurisdiction("${jurisdiction}");\n`),
  );
}

/** Files of objects by region: `eu/do/ShardDO-eu/<id>.sqlite` counts for `eu`. */
function objects(): Record<string, number> {
  const state = app.path(".lunora/state");
  const counts: Record<string, number> = {};
  for (const region of readdirSync(state)) {
    const folder = join(state, region, "do");
    if (!existsSync(folder)) continue;
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const count = files.filter((file) => /\/[0-9a-f]{64}\.sqlite$/.test(file)).length;
    if (count > 0) counts[region] = count;
  }
  return counts;
}

/** Regions in whose files the text is found. */
function regionsWith(text: string): string[] {
  const state = app.path(".lunora/state");
  return readdirSync(state, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .filter(({ name }) =>
      readdirSync(join(state, name), { recursive: true, withFileTypes: true }).some(
        (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(text),
      ),
    )
    .map(({ name }) => name);
}

const texts = async (url: string): Promise<string[]> =>
  ((await call(url, "notes:list")) as { text: string }[]).map(({ text }) => text).toReversed();

/** Declares while the server runs, and waits until the worker is the one that was asked for. */
async function flip(vite: Program, jurisdiction: string | null): Promise<void> {
  const told = vite.output.length;
  declare(jurisdiction);
  const line =
    jurisdiction === null ? "no jurisdiction is declared any more" : `the jurisdiction \`${jurisdiction}\` is emulated`;
  await until(`it says where the bytes are: ${vite.output.slice(told)}`, () => vite.output.slice(told).includes(line));
}

describe.each(["a module for each file", "one bundle"])("with %s", (mode) => {
  test("a change of the declaration moves the running app, and taking it back finds the data", async () => {
    app = TestApp.copyOf("minimal");
    if (mode === "one bundle") app.edit("vite.config.ts", "lunora()", "lunora({ bundle: true })");
    const { url, vite } = await app.dev();
    await call(url, "notes:add", { text: "canary-none" });
    expect(vite.output).not.toMatch(/emulated|jurisdiction/);

    await flip(vite, "eu");
    await until("what is left is told", () =>
      /from \(none\) to `eu`: 2 objects \(`ShardDO` 1, `ShardRegistryDO` 1\)/.test(vite.output),
    );
    expect(vite.output).toMatch(/JURISDICTION_CHANGED/);
    expect(vite.output).toContain("Production would strand them the same way");
    expect(await texts(url)).toEqual([]);
    await call(url, "notes:add", { text: "canary-eu" });
    expect(regionsWith("canary-eu")).toEqual(["eu"]);

    await flip(vite, "us");
    await until("what is left is told", () =>
      /from `eu` to `us`: 2 objects \(`ShardDO` 1, `ShardRegistryDO` 1\)/.test(vite.output),
    );
    expect(await texts(url)).toEqual([]);
    await call(url, "notes:add", { text: "canary-us" });
    expect(regionsWith("canary-us")).toEqual(["us"]);
    expect(regionsWith("canary-none")).toEqual(["none"]);

    await flip(vite, "eu");
    expect(await texts(url)).toEqual(["canary-eu"]);
    // Edits of code go on as they do in an app that is not pinned.
    app.edit("lunora/notes.ts", "{ text: args.text }", "{ text: `${args.text}!` }");
    await until("the edit is served", async () => {
      await call(url, "notes:add", { text: "edited" });
      return (await texts(url)).includes("edited!");
    });
    expect((await texts(url))[0]).toBe("canary-eu");

    await flip(vite, null);
    expect(await texts(url)).toEqual(["canary-none"]);
    expect(objects()).toEqual({ none: 2, eu: 2, us: 2 });
    await vite.stop("SIGINT");
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);

    declare("us");
    const again = await app.dev();
    expect(await texts(again.url)).toEqual(["canary-us"]);
    await until("the change since the last run is told", () => again.vite.output.includes("from (none) to `us`"));
  });
});

test("an unknown jurisdiction is an error at its place, and the last good worker serves", async () => {
  app = TestApp.copyOf("minimal");
  declare("eu");
  const { url, vite } = await app.dev();
  await call(url, "notes:add", { text: "kept" });
  app.edit("lunora/schema.ts", '"eu"', '"eur"');
  await until("the error is told", () => vite.output.includes("UNKNOWN_JURISDICTION"));
  expect(vite.output).toContain("Did you mean `eu`?");
  expect(await texts(url)).toEqual(["kept"]);
  expect(objects()).toEqual({ eu: 2 });
});

test("the worker that is deployed holds the declaration, and nothing of the emulation and the tap", async () => {
  app = TestApp.copyOf("minimal");
  declare("eu");
  const build = app.run("vite", ["build"]);
  expect(await build.ended(), build.output).toBe(0);
  const worker = app.read("dist/worker/worker.js");
  expect(worker).toMatch(/jurisdiction\(["'`]eu["'`]\)/);
  expect(worker).toContain("JURISDICTION_UNAVAILABLE");
  const facade = readFileSync(
    join(import.meta.dirname, "../../crates/lunora_workerd/src/config/jurisdiction.js"),
    "utf8",
  );
  const phrases = [...facade.matchAll(/"([^"$]{16,})"|`([^`$]{16,}?)(?:\\`|\$|`)/g)].map(
    ([, one, other]) => one ?? other,
  );
  expect(phrases.length).toBeGreaterThan(4);
  const tap = ["LUNORA_TAP", "http://tap/events", "AsyncLocalStorage", "async_hooks", "nodejs_als", "delayPokes"];
  const source = await bundleTap();
  // What is looked for has to be what is there.
  for (const phrase of tap) if (phrase !== "nodejs_als") expect(source, phrase).toContain(phrase);
  for (const phrase of [...phrases, ...tap, "lunora-development", "emulated", "-eu", ".lunora/state"])
    expect(worker, phrase).not.toContain(phrase);
});
