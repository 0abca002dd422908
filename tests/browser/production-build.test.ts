// `vite build`: the client, the worker, and a wrangler configuration that the real wrangler accepts.
import { existsSync, readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { TestApp } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

const quietWrangler = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" };

async function build(): Promise<string> {
  const program = app.run("vite", ["build"]);
  expect(await program.ended(), program.output).toBe(0);
  return program.output;
}

test.each(["minimal", "chat"])("the build of `%s` is what wrangler deploys", async (playground) => {
  app = TestApp.copyOf(playground);
  const committed = app.read("wrangler.jsonc");
  await build();
  expect(app.read("wrangler.jsonc")).toBe(committed);
  expect(existsSync(app.path("dist/client/index.html"))).toBe(true);

  const wrangler = app.run("wrangler", ["deploy", "--dry-run", "--outdir", app.path("dist/deployed")], quietWrangler);
  expect(await wrangler.ended(), wrangler.output).toBe(0);
  expect(wrangler.output).toContain("env.SHARD (ShardDO)");
  expect(wrangler.output).toContain("env.SHARD_REGISTRY (ShardRegistryDO)");
  expect(wrangler.output).not.toMatch(/warning/i);
  expect(readdirSync(app.path("dist/deployed"))).toContain("worker.js");
});

test("the wrangler configuration is made where there is none, and then left alone", async () => {
  app = TestApp.copyOf("minimal");
  app.remove("wrangler.jsonc");
  expect(await build()).toContain("wrangler.jsonc");
  const made = app.read("wrangler.jsonc");
  expect(await build()).not.toContain("wrangler.jsonc:");
  expect(app.read("wrangler.jsonc")).toBe(made);
});

test("what somebody wrote into the wrangler configuration stays as it was", async () => {
  app = TestApp.copyOf("minimal");
  const mine = `{
  // mine
  "name": "mine",\t"vars": { "GREETING": "hello" }, /* stays */
  "compatibility_date": "2026-11-01",
}
`;
  app.write("wrangler.jsonc", mine);
  await build();
  const text = app.read("wrangler.jsonc");
  expect(text).toContain('  // mine\n  "name": "mine",\t"vars": { "GREETING": "hello" }, /* stays */\n');
  expect(text).toContain('"ShardDO"');
  const wrangler = app.run("wrangler", ["deploy", "--dry-run", "--outdir", app.path("dist/deployed")], quietWrangler);
  expect(await wrangler.ended(), wrangler.output).toBe(0);
  expect(wrangler.output).toContain("GREETING");
});

test.each([
  ["a syntax error", "lunora/notes.ts", "\nexport const broken = ;\n", "SYNTAX_ERROR"],
  ["an import of nothing", "lunora/notes.ts", '\nexport { gone } from "./nowhere";\n', "nowhere"],
])("%s ends the build and names its place", async (_, path, breakage, said) => {
  app = TestApp.copyOf("minimal");
  app.write(path, `${app.read(path)}${breakage}`);
  const program = app.run("vite", ["build"]);
  expect(await program.ended()).toBe(1);
  expect(program.output).toContain(said);
  expect(program.output).toMatch(/lunora\/notes\.ts:9:\d+/);
  expect(existsSync(app.path("dist/worker/worker.js"))).toBe(false);
});
