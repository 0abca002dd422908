// The generated worker has the admin routes, and the command finds the development server by itself.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { TestApp, call, until } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import type { Program } from "../support/app.ts";

const TOKEN = "a-token-of-development";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

async function dev(): Promise<{ url: string; program: Program }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = app.run("lunora", ["dev", "--no-vite", "--port", String(port)]);
  await until("it serves", async () => {
    program.assertRuns();
    return (await fetch(`${url}/_lunora/status`)).ok;
  });
  return { url, program };
}

/** Runs `lunora` to its end. */
async function lunora(...commandArguments: string[]): Promise<{ code: number | string; output: string }> {
  const program = app.run("lunora", commandArguments, { LUNORA_ADMIN_TOKEN: TOKEN });
  const code = await program.ended();
  return { code, output: program.output };
}

test("`lunora export` and `lunora import` speak to the development server that runs", async () => {
  app = TestApp.copyOf("minimal");
  expect((await lunora("export", "--out", "dump")).output).toContain("TRANSFER_TARGET_UNKNOWN");
  const { url, program } = await dev();
  await call(url, "notes:add", { text: "one" });
  await call(url, "notes:add", { text: "two" });
  // Without a token in the app's environment the server has one of its own for the run, which nobody is told.
  const { code, output } = await lunora("export", "--out", "dump");
  expect(code).toBe(1);
  expect(output).toContain("error[UNAUTHORIZED]");
  expect(output).toContain("LUNORA_ADMIN_TOKEN");

  writeFileSync(app.path(".dev.vars"), `LUNORA_ADMIN_TOKEN=${TOKEN}\n`);
  await until("the token is taken up", async () => {
    const response = await fetch(`${url}/_lunora/admin/info`, { headers: { authorization: `Bearer ${TOKEN}` } });
    return response.ok;
  });
  const exported = await lunora("export", "--out", "dump");
  expect(exported.output).toContain("2 rows of 1 shard ");
  expect(exported.code).toBe(0);
  const [receipt] = readdirSync(app.path(".lunora/receipts"));
  expect(JSON.parse(readFileSync(app.path(`.lunora/receipts/${receipt}`), "utf8"))).toMatchObject({
    url,
    complete: true,
    tables: { notes: { rows: 2 } },
  });
  await call(url, "notes:add", { text: "three" });
  expect((await lunora("import", "dump", "--verify")).output).toContain("error[TRANSFER_PROOF_FAILED]");
  const imported = await lunora("import", "dump", "--replace");
  expect(imported.output).toContain("Counts and hashes are the same on both sides.");
  expect(imported.code).toBe(0);
  const rows = (await call(url, "notes:list")) as { text: string }[];
  expect(rows.map(({ text }) => text)).toEqual(["two", "one"]);
  expect(existsSync(app.path("dump.import"))).toBe(false);
  expect(program.output).not.toContain(TOKEN);
});
