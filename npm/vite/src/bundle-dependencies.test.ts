import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { bundleDependencies } from "./bundle-dependencies.ts";
import { bundleWorker } from "./bundle-worker.ts";

const packages: Record<string, { main: string; manifest?: object }> = {
  plain: { main: `exports.one = 1; exports.two = () => 2; exports["not-a-name"] = 3; exports.delete = 4;` },
  compiled: {
    main: `"use strict"; Object.defineProperty(exports, "__esModule", { value: true });
exports.named = "n"; exports.default = function greet() { return "hi"; };`,
  },
  // As lodash does: no analysis of the text finds these names.
  grown: {
    main: `function lib() { return "lib"; } for (const name of ["map", "each"]) lib[name] = name; module.exports = lib;`,
  },
  passed: { main: `module.exports = require("./inner.js"); require("plain").one;` },
  modern: { main: `export default { a: 1 };`, manifest: { type: "module" } },
};

const entry = `import plain, { one, two } from "plain";
import * as wholePlain from "plain";
import greet, { named } from "compiled";
import lib, { map } from "grown";
import * as wholeGrown from "grown";
import { deep } from "passed";
import modern from "modern";
export const result = {
  plain: Object.keys(plain), one, two: two(), viaWhole: wholePlain.one, remove: wholePlain.delete,
  greet: typeof greet === "function" ? greet() : Object.keys(greet), named,
  lib: lib(), map, each: wholeGrown.each, deep, modern: modern.a,
};
`;

let root = "";

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function newApp(manifest: object): void {
  root = mkdtempSync(join(tmpdir(), "lunora-commonjs-"));
  write("package.json", JSON.stringify(manifest));
  for (const [name, { main, manifest: more }] of Object.entries(packages)) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js", ...more }));
    write(`node_modules/${name}/index.js`, main);
  }
  write(
    "node_modules/passed/inner.js",
    `Object.defineProperty(exports, "deep", { enumerable: true, get: () => "deep" });`,
  );
  write("entry.ts", entry);
}

const entries = Object.keys(packages).map((specifier) => ({ specifier, file: `${specifier}.js` }));

const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Record<string, unknown>;

describe.each([{ type: "module" }, {}])("CommonJS packages in a project with %j", (manifest) => {
  test("are imported by name as in a bundle of everything", async () => {
    newApp(manifest);
    await bundleWorker({ root, entry: join(root, "entry.ts"), outputFile: join(root, "whole/worker.js") });
    const { result: expected } = await load(join(root, "whole/worker.js"));

    const bundled = await bundleDependencies({ root, entries, outputDirectory: join(root, "parts") });
    expect(bundled.notices).toEqual([]);
    expect(bundled.entries["modern"]?.exports).toEqual(["default"]);
    write("parts/worker.js", entry.replaceAll(/from "(\w+)"/g, `from "./$1.js"`));
    const { result } = await load(join(root, "parts/worker.js"));
    expect(result).toEqual(expected);
    expect(result).toMatchObject({ one: 1, two: 2, map: "map", each: "each", deep: "deep", named: "n" });
  });
});

test("a package that does not run outside a browser keeps its default export, and that is said", async () => {
  newApp({ type: "module" });
  write("node_modules/plain/index.js", `exports.title = document.title;`);
  const { entries: found, notices } = await bundleDependencies({ root, entries, outputDirectory: join(root, "parts") });
  expect(found["plain"]?.exports).toEqual(["default"]);
  expect(notices.join("\n")).toMatch(/`plain` could not be run .*document is not defined/);
});

test("a package that prints, waits or ends the process does not get in the way", async () => {
  newApp({ type: "module" });
  write("node_modules/plain/index.js", `console.log("noise"); setInterval(() => {}, 1000); exports.one = 1;`);
  const { entries: found } = await bundleDependencies({ root, entries, outputDirectory: join(root, "parts") });
  expect(found["plain"]?.exports).toEqual(["default", "one"]);
});

test("an import that leads nowhere fails the bundle", async () => {
  newApp({ type: "module" });
  write("node_modules/modern/index.js", `export { x } from "not-there";`);
  await expect(bundleDependencies({ root, entries, outputDirectory: join(root, "parts") })).rejects.toThrow(
    "not-there",
  );
});
