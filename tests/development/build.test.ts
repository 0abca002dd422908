// What `vite build` leaves behind is what wrangler deploys: a client, a worker, a configuration that it takes.
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { Program, TestApp } from "../support/app.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const wrangler = join(repository, "playground", "chat", "node_modules", "wrangler", "bin", "wrangler.js");

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

async function build(): Promise<{ code: number | string; output: string }> {
  const program = app.run("vite", ["build"]);
  const code = await program.ended();
  return { code, output: program.output };
}

/** Everything below a folder, by path. */
function files(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path.slice(folder.length + 1), readFileSync(path, "utf8"));
  }
  return found;
}

/** What real wrangler says of the configuration and the worker, without sending anything. */
async function dryRun(): Promise<{ code: number | string; output: string }> {
  const program = new Program(
    process.execPath,
    [wrangler, "deploy", "--dry-run", "--outdir", app.path("out")],
    app.folder,
    { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" },
  );
  const code = await program.ended();
  return { code, output: program.output };
}

describe("vite build", () => {
  test("writes a client, a worker and a configuration that wrangler takes; again changes nothing", async () => {
    app = TestApp.copyOf("minimal");
    rmSync(app.path("wrangler.jsonc"), { force: true });
    const first = await build();
    expect(first.code, first.output).toBe(0);

    const client = files(app.path("dist/client"));
    expect([...client.keys()]).toContain("index.html");
    const worker = app.read("dist/worker/worker.js");
    expect(worker).toContain("ShardDO");
    expect(worker).toContain("ShardRegistryDO");
    for (const [name, text] of client) {
      expect(text, name).not.toMatch(/ShardDO|cloudflare:workers|defineSchema|ctx\.db/);
      expect(name).not.toMatch(/worker\.js/);
    }

    const configuration = app.read("wrangler.jsonc");
    for (const part of [
      "dist/worker/worker.js",
      "ShardDO",
      "ShardRegistryDO",
      "new_sqlite_classes",
      "compatibility_date",
    ]) {
      expect(configuration).toContain(part);
    }
    expect(first.output).toContain("wrangler.jsonc");
    const before = files(app.path("dist"));

    const accepted = await dryRun();
    expect(accepted.code, accepted.output).toBe(0);
    expect(accepted.output).toMatch(/env\.SHARD\b/);
    expect(accepted.output).toMatch(/env\.SHARD_REGISTRY\b/);
    expect(accepted.output).not.toMatch(/\[WARNING\]|▲/);

    const second = await build();
    expect(second.code, second.output).toBe(0);
    expect(app.read("wrangler.jsonc")).toBe(configuration);
    expect(second.output).not.toMatch(/\[lunora\] wrangler\.jsonc/);
    expect(files(app.path("dist"))).toEqual(before);
  });

  test("adds to an own configuration and leaves its comments, order and form alone", async () => {
    app = TestApp.copyOf("minimal");
    const own = `// Deployed by the night shift.
{
\t"compatibility_date": "2026-01-15", /* tested */
\t"vars": { "GREETING": "hello", },
\t// The name is on the invoices.
\t"name": "our-notes",
}
`;
    app.write("wrangler.jsonc", own);
    const { code, output } = await build();
    expect(code, output).toBe(0);
    const edited = app.read("wrangler.jsonc");
    let at = 0;
    for (const line of own.split("\n").slice(0, 6)) {
      const place = edited.indexOf(line.replace(/,$/, ""), at);
      expect(place, `${line} in\n${edited}`).toBeGreaterThanOrEqual(at);
      at = place + 1;
    }
    expect(edited).toContain("ShardRegistryDO");
    const accepted = await dryRun();
    expect(accepted.code, accepted.output).toBe(0);
    expect(accepted.output).toContain("GREETING");
    expect((await build()).code).toBe(0);
    expect(app.read("wrangler.jsonc")).toBe(edited);
  });

  test("fails on a schema error with its frame, and leaves the last build alone", async () => {
    app = TestApp.copyOf("minimal");
    expect((await build()).code).toBe(0);
    const before = files(app.path("dist"));
    const configuration = app.read("wrangler.jsonc");
    app.edit("lunora/schema.ts", "v.string()", "v.strings()");
    const { code, output } = await build();
    expect(code).not.toBe(0);
    expect(output).toMatch(/UNKNOWN_VALIDATOR[\s\S]*lunora\/schema\.ts:4:[\s\S]*v\.strings\(\)/);
    expect(output).not.toContain("node_modules/vite");
    expect(files(app.path("dist"))).toEqual(before);
    expect(app.read("wrangler.jsonc")).toBe(configuration);
  });

  test.each([
    [
      "an import that leads nowhere",
      'import { nothing } from "./nowhere";\nexport const one = nothing;\n',
      "./nowhere",
    ],
    [
      "a package that is not installed",
      'import nothing from "not-installed";\nexport const one = nothing;\n',
      "not-installed",
    ],
  ])("fails on %s", async (_title, text, name) => {
    app = TestApp.copyOf("minimal");
    app.write("lunora/extra.ts", text);
    app.edit("lunora/notes.ts", "import {", 'import { one } from "./extra";\nimport {');
    app.edit("lunora/notes.ts", "take(100)", "take(one)");
    const { code, output } = await build();
    expect(code).not.toBe(0);
    expect(output).toContain(name);
    expect(output).toContain("lunora/extra.ts");
  });

  test("fails on a wrangler configuration that does not parse, and leaves it alone", async () => {
    app = TestApp.copyOf("minimal");
    const broken = `{ "name": "x", "main": }\n`;
    app.write("wrangler.jsonc", broken);
    const { code, output } = await build();
    expect(code).not.toBe(0);
    expect(output).toMatch(/WRANGLER_SYNTAX[\s\S]*wrangler\.jsonc/);
    expect(app.read("wrangler.jsonc")).toBe(broken);
    expect(existsSync(app.path("dist/worker"))).toBe(false);
  });

  test("builds the worker that answers in real workerd", async () => {
    app = TestApp.copyOf("minimal");
    expect((await build()).code).toBe(0);
    // Deployed code is one file; nothing beside it may be needed.
    const lonely = app.path("lonely");
    cpSync(app.path("dist/worker/worker.js"), join(lonely, "worker.js"));
    expect(readFileSync(join(lonely, "worker.js"), "utf8")).not.toMatch(/from\s*["'](?!cloudflare:|node:)/);
  });
});
