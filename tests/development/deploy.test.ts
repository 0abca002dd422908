// `lunora prepare` and `lunora deploy`: the gates, a real build, real wrangler, and what is written down afterwards.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import { UploadApi } from "../support/upload-api.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const baseline = "lunora/.lunora-schema.json";
const quiet = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };

let app: TestApp;

beforeEach(() => {
  app = TestApp.copyOf("minimal");
  mkdirSync(app.path("node_modules"), { recursive: true });
});

afterEach(async () => {
  await app.dispose();
});

/** Real wrangler, as an app that has installed it. */
function installWrangler(): void {
  symlinkSync(join(repository, "playground", "chat", "node_modules", "wrangler"), app.path("node_modules/wrangler"));
}

async function lunora(
  commandArguments: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | string; output: string }> {
  const program = app.run("lunora", commandArguments, { ...quiet, ...environment });
  const code = await program.ended();
  return { code, output: program.output };
}

describe("lunora prepare", () => {
  test("captures the first schema, tells safe changes, stops on breaking ones", async () => {
    const first = await lunora(["prepare"]);
    expect(first.code, first.output).toBe(0);
    expect(first.output).toContain("wrote lunora/.lunora-schema.json");
    expect(existsSync(app.path("dist"))).toBe(false);
    const captured = app.read(baseline);

    app.edit("lunora/schema.ts", "text: v.string()", "text: v.string(), done: v.optional(v.boolean())");
    const safe = await lunora(["prepare"]);
    expect(safe.code, safe.output).toBe(0);
    expect(safe.output).toContain("safe: the field `notes.done` is new");

    app.edit("lunora/schema.ts", "text: v.string()", "text: v.array(v.string())");
    const stopped = await lunora(["prepare"]);
    expect(stopped.code).toBe(3);
    expect(stopped.output).toMatch(/SCHEMA_DRIFT[\s\S]*`notes\.text` changed from `string` to `array\(string\)`/);
    expect(app.read(baseline)).toBe(captured);
    expect((await lunora(["prepare", "--allow-schema-drift"])).code).toBe(0);
    expect(app.read(baseline)).toBe(captured);

    const json = await lunora(["prepare", "--json"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.output)).toMatchObject({
      passed: false,
      baselineFile: baseline,
      drift: {
        changes: [{ kind: "changedFieldKind", table: "notes", name: "text", breaking: true }, { breaking: false }],
      },
      error: { diagnostics: [{ code: "SCHEMA_DRIFT", severity: "error" }] },
    });
  });

  test("tells errors in the sources, the command line and the baseline with their code", async () => {
    expect((await lunora(["prepare", "--nothing"])).code).toBe(2);
    app.write(baseline, "{ <<<<<<< HEAD");
    const corrupt = await lunora(["prepare", "--allow-schema-drift", "--update-schema-baseline"]);
    expect(corrupt.code).toBe(2);
    expect(corrupt.output).toMatch(/SCHEMA_SNAPSHOT_PARSE[\s\S]*\.lunora-schema\.json:1:3/);
    expect(app.read(baseline)).toBe("{ <<<<<<< HEAD");
    app.edit("lunora/schema.ts", "v.string()", "v.strings()");
    const wrong = await lunora(["prepare"]);
    expect(wrong.code).toBe(2);
    expect(wrong.output).toContain("UNKNOWN_VALIDATOR");
  });
});

describe("a deployed app that can be asked", () => {
  test("says where its data is, whatever the baseline says", async () => {
    const vite = app.run("vite", ["build"]);
    expect(await vite.ended(), vite.output).toBe(0);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const token = { LUNORA_ADMIN_TOKEN: "a-token-of-sixteen-characters" };
    const server = app.run("lunora", ["start", "--port", String(port)], token);
    await until(`it serves: ${server.output}`, async () => (await fetch(`${url}/_lunora/health/ready`)).ok);
    await call(url, "notes:add", { text: "here" });

    app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
    const generated = await lunora(["codegen"]);
    expect(generated.code, generated.output).toBe(0);
    const unasked = await lunora(["prepare", "--url", url]);
    expect(unasked.code, unasked.output).toBe(0);
    const asked = await lunora(["prepare", "--url", url], token);
    expect(asked.code, asked.output).toBe(3);
    expect(asked.output).toMatch(/JURISDICTION_STRANDS_DATA[\s\S]*from \(none\) to eu[\s\S]*`notes` in 1 object/);
    await server.stop("SIGTERM");
    const gone = await lunora(["prepare", "--url", url], token);
    expect(gone.code, gone.output).toBe(0);
    expect(gone.output).toContain("DEPLOYED_REGION_UNKNOWN");
  });
});

describe("lunora deploy", () => {
  test("--dry-run builds and lets real wrangler check it; nothing is blessed", async () => {
    installWrangler();
    const { code, output } = await lunora(["deploy", "--dry-run"]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/env\.SHARD\b/);
    expect(output).toContain("--dry-run: exiting now");
    expect(app.read("wrangler.jsonc")).toContain("new_sqlite_classes");
    expect(existsSync(app.path(baseline))).toBe(false);

    const json = app.run("lunora", ["deploy", "--dry-run", "--json"], quiet);
    let stdout = "";
    json.child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    expect(await json.ended(), json.output).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ passed: true, dryRun: true, deployed: false, exitCode: 0 });
  });

  test("an app without a Vite configuration is built as well", async () => {
    installWrangler();
    app.remove("vite.config.ts");
    const { code, output } = await lunora(["deploy", "--dry-run"]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/env\.SHARD\b/);
  });

  test("wrangler that refuses is passed through: its words, its exit code, and no baseline", async () => {
    installWrangler();
    const refused = await lunora(["deploy"], {
      CLOUDFLARE_API_TOKEN: "",
      HOME: app.folder,
      XDG_CONFIG_HOME: app.folder,
    });
    expect(refused.code, refused.output).toBe(1);
    expect(refused.output).toContain("CLOUDFLARE_API_TOKEN");
    expect(existsSync(app.path(baseline))).toBe(false);
  });

  test("stops before the build on drift, and says what is missing where a program is", async () => {
    const missing = await lunora(["deploy"], { NODE_PATH: "" });
    expect(missing.code, missing.output).toBe(9);
    expect(missing.output).toMatch(/LOCAL_TOOL_MISSING[\s\S]*npm install --save-dev wrangler/);
    expect(existsSync(app.path("dist"))).toBe(false);

    installWrangler();
    await lunora(["prepare"]);
    app.edit("lunora/schema.ts", "text: v.string()", "text: v.number()");
    const stopped = await lunora(["deploy", "--dry-run"]);
    expect(stopped.code).toBe(3);
    expect(existsSync(app.path("dist"))).toBe(false);
  });
});

describe("a deployment that succeeds", () => {
  test("an app with a global table is sent with its database, and told of an id that is none", async () => {
    installWrangler();
    app.edit("lunora/schema.ts", "});\n", "  countries: defineTable({ name: v.string() }).global(),\n});\n");
    const prepared = await lunora(["prepare"]);
    expect(prepared.code, prepared.output).toBe(0);
    expect(prepared.output).toContain("D1_ID_PLACEHOLDER");
    const api = await UploadApi.start();
    try {
      const first = await lunora(["deploy"], api.environment(app.folder));
      expect(first.code, first.output).toBe(0);
      expect(first.output).toMatch(/D1_ID_PLACEHOLDER[\s\S]*npx wrangler d1 create playground-minimal/);

      const id = "9f4e1c2a-0b5d-4e6f-8a7b-1c2d3e4f5a6b";
      app.edit("wrangler.jsonc", "the-id-that-wrangler-d1-create-prints", id);
      const second = await lunora(["deploy"], api.environment(app.folder));
      expect(second.code, second.output).toBe(0);
      expect(second.output).not.toContain("D1_ID_PLACEHOLDER");
      expect(api.uploads.at(-1)).toMatch(new RegExp(`"name":"DB","type":"d1","id":"${id}"`));
    } finally {
      await api.stop();
    }
  });

  test("sends the worker with its migrations and makes the schema the baseline", async () => {
    installWrangler();
    const api = await UploadApi.start();
    const { uploads } = api;
    const environment = api.environment(app.folder);
    try {
      const { code, output } = await lunora(["deploy"], environment);
      expect(code, output).toBe(0);
      expect(output).toContain("lunora/.lunora-schema.json is the schema that is deployed");
      expect(uploads).toHaveLength(1);
      expect(uploads[0]).toContain("ShardRegistryDO");
      expect(uploads[0]).toContain("new_sqlite_classes");
      expect(JSON.parse(app.read(baseline))).toMatchObject({ version: 1, tables: { notes: { shardMode: "root" } } });

      // The move to another region: stopped, then covered by an export, whose receipt is used up.
      app.edit("lunora/schema.ts", "});\n", '}).jurisdiction("eu");\n');
      const move = ["deploy", "--allow-schema-drift", "--update-schema-baseline"];
      const stopped = await lunora(move, environment);
      expect(stopped.code).toBe(3);
      expect(stopped.output).toContain("JURISDICTION_STRANDS_DATA");
      expect(stopped.output).toMatch(/lunora export --prod --url \S+ --out backup\.ndjson --tables notes/);
      app.write(
        ".lunora/receipts/backup.receipt.json",
        JSON.stringify({
          version: 1,
          sourceJurisdiction: null,
          exportedAt: Date.now(),
          url: "https://notes.example.com",
          tables: { notes: { rows: 2, hash: "00" } },
          complete: true,
        }),
      );
      const moved = await lunora(move, environment);
      expect(moved.code, moved.output).toBe(0);
      expect(JSON.parse(app.read(baseline))).toMatchObject({ jurisdiction: "eu" });
      expect(existsSync(app.path(".lunora/receipts/used/backup.receipt.json"))).toBe(true);
      expect(uploads).toHaveLength(2);
    } finally {
      await api.stop();
    }
  });
});
