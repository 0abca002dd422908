// A package in the old module format is imported by name, as it will be in production.
import { afterEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

test("CommonJS packages are imported by name in development", async () => {
  app = TestApp.copyOf("minimal");
  app.write("node_modules/old-format/package.json", `{ "name": "old-format", "version": "1.0.0", "main": "index.js" }`);
  app.write(
    "node_modules/old-format/index.js",
    `function tools() { return "whole"; }
for (const name of ["shout", "whisper"]) tools[name] = (text) => name + " " + text;
module.exports = tools;
`,
  );
  app.write("node_modules/old-format/index.d.ts", `export function shout(text: string): string;`);
  app.write(
    "lunora/loud.ts",
    `import { query } from "./_generated/server";
import tools, { shout } from "old-format";
import * as all from "old-format";
export const say = query.query(() => [tools(), shout("a"), all.whisper("b")]);
`,
  );
  const { url } = await app.dev();
  const said = await until("the function answers", () => call(url, "loud:say"));
  expect(said).toEqual(["whole", "shout a", "whisper b"]);
});
