// `lunora shards`, `oplog` and `run` against the admin routes of a real server, as against one that is deployed; and
// `lunora doctor` in a real project.
import { afterEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";

const TOKEN = "a-token-of-development";

let app: TestApp;
let url: string;

afterEach(async () => {
  await app.dispose();
});

/** Runs `lunora` to its end. */
async function lunora(
  commandArguments: string[],
  environment: Record<string, string> = { LUNORA_ADMIN_TOKEN: TOKEN },
): Promise<{ code: number | string; output: string }> {
  const program = app.run("lunora", commandArguments, environment);
  const code = await program.ended();
  return { code, output: program.output };
}

async function serve(): Promise<void> {
  app = TestApp.copyOf("minimal");
  app.write(".dev.vars", `LUNORA_ADMIN_TOKEN=${TOKEN}\n`);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const program = app.run("lunora", ["dev", "--no-vite", "--port", String(port)]);
  await until("it serves", async () => {
    program.assertRuns();
    return (await fetch(`${url}/_lunora/status`)).ok;
  });
}

test("shards, their logs, and functions of a server with admin routes", async () => {
  await serve();
  await call(url, "notes:add", { text: "one" });
  const shards = await lunora(["shards", "--url", url]);
  expect(shards.output).toContain("__root__");
  expect(shards.output).toContain("1 shard");
  expect(shards.code).toBe(0);

  const run = await lunora(["run", "notes:add", '{"text":"two"}', "--shard", "__root__", "--url", url]);
  expect(run.output).toContain("✓ notes:add");
  expect(run.output).toMatch(/ops\n {2}#\d+ insert notes \S+ {2}\{.*"text":"two"/);
  expect(run.code).toBe(0);
  const listed = await lunora(["run", "notes:list", "--url", url, "--json"]);
  const { result } = JSON.parse(listed.output) as { result: { text: string }[] };
  expect(result.map(({ text }) => text).toSorted()).toEqual(["one", "two"]);

  const log = await lunora(["oplog", "__root__", "--url", url, "--table", "notes"]);
  expect(log.output).toMatch(/insert notes \S+ {2}\{.*"text":"one".*\n.*insert notes \S+ {2}\{.*"text":"two"/);
  expect(log.output).toContain("__root__: kept from #");

  const refused = await lunora(["run", "notes:add", '{"text":5}', "--url", url]);
  expect(refused.output).toContain("error[VALIDATION_ERROR]");
  expect(refused.code).toBe(1);
  const unknown = await lunora(["oplog", "nowhere", "--url", url]);
  expect(unknown.output).toContain("error[SHARD_NOT_FOUND]");
  const stranger = await lunora(["shards", "--url", url], { LUNORA_ADMIN_TOKEN: "another-token-of-nobody" });
  expect(stranger.output).toContain("error[UNAUTHORIZED]");
  // What runs in production is asked for first, and nobody can be asked here.
  const asked = await lunora(["run", "notes:add", '{"text":"three"}', "--url", url, "--prod"]);
  expect([asked.code, asked.output]).toEqual([2, expect.stringContaining("error[TRANSFER_NOT_CONFIRMED]")]);
  expect(await call(url, "notes:list")).toHaveLength(2);
});

test("what happens under `vite dev`, while it happens and over a reload", async () => {
  app = TestApp.copyOf("minimal");
  app.edit(
    "lunora/notes.ts",
    'ctx.db.insert("notes", { text: args.text })',
    '{ console.warn(`adding ${args.text}`); return ctx.db.insert("notes", { text: args.text }); }',
  );
  const { url: page } = await app.dev();
  const following = app.run("lunora", ["oplog", "--follow", "--json", "--table", "notes"]);
  const ran = await lunora(["run", "notes:add", '{"text":"one"}', "--as", "ada", "--json"], {});
  expect(ran.code, ran.output).toBe(0);
  const { ops, logs } = JSON.parse(ran.output) as { ops: { after: string }[]; logs: { text: string }[] };
  expect(ops.map(({ after }) => JSON.parse(after))).toEqual([expect.objectContaining({ text: "one" })]);
  expect(logs.map(({ text }) => text)).toEqual(["adding one"]);
  await until("the change is told", () => following.output.includes('one\\"'));

  app.edit("lunora/notes.ts", "{ text: args.text }", "{ text: `${args.text}!` }");
  await until("the edit is served", async () => {
    await call(page, "notes:add", { text: "two" });
    return JSON.stringify(await call(page, "notes:list")).includes("two!");
  });
  await until("what follows the reload is told", () => following.output.includes('two!\\"'));
  const told = following.output.split("\n").filter((line) => line.startsWith("{"));
  const seqs = told.map((line) => (JSON.parse(line) as { seq: number }).seq);
  // What a worker that is replaced has not told yet is in the shard's own log alone.
  expect(seqs).toEqual([...new Set(seqs)].toSorted((one, other) => one - other));
  expect(await following.stop("SIGINT")).toBe("SIGINT");

  const shards = await lunora(["shards"], {});
  expect(shards.output).toContain("__root__");
  const warned = await lunora(["logs", "--level", "warn"], {});
  expect(warned.output).toContain("adding one");
  const log = await lunora(["oplog", "__root__", "--limit", "1"], {});
  expect(log.output).toContain("two!");
});

test("doctor says what is there, and fails on what keeps the app from running", async () => {
  await serve();
  const well = await lunora(["doctor", "--json"], {});
  expect(well.code, well.output).toBe(0);
  const { ok, checks } = JSON.parse(well.output) as { ok: boolean; checks: { name: string; state: string }[] };
  expect(ok).toBe(true);
  for (const name of ["node", "addon", "project", "workerd", "vite", "sources", "wrangler.jsonc", "generated", "disk"])
    expect(checks.map((check) => check.name)).toContain(name);
  const held = await lunora(["doctor"], {});
  expect(held.output).toContain(`held by the development server at ${url}`);
  expect(held.output).not.toContain(TOKEN);

  app.write("lunora/broken.ts", "export const = ;\n");
  app.write(".dev.vars", "LUNORA_ADMIN_TOKEN=short\n");
  const ill = await lunora(["doctor", "--workerd", "nowhere"], {});
  expect(ill.code).toBe(1);
  expect(ill.output).toContain("✗ workerd");
  expect(ill.output).toContain("✗ sources");
  expect(ill.output).toContain("✗ admin token");
  expect(ill.output).toContain("3 errors");
});
