// Ctrl-C in the middle of `lunora import`: what it leaves can be gone on with and given up, and the command says how.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { proofs, TOKEN, TRANSFER_NAMESPACES } from "../../npm/do/testing/admin-client.ts";
import { appEntry, result } from "../../npm/do/testing/client.ts";
import { TestWorker } from "../../npm/do/testing/workerd.ts";
import { command, RunningCommand } from "../support/command.ts";
import type { CommandEnd } from "../support/command.ts";
import { HoldingProxy } from "../support/holding-proxy.ts";

/** Rows of this length are more than one request has room for, so that there is a first and a second. */
const LONG = "x".repeat(1_900_000);
const ROWS = 4;
const TABLES = ["things"];
const env = { LUNORA_ADMIN_TOKEN: TOKEN };

let folder: string;
let source: TestWorker;
let target: TestWorker;
let proxy: HoldingProxy;

const lunora = (...args: string[]): Promise<CommandEnd> => command(args, { cwd: folder, env });

function start(): Promise<TestWorker> {
  return TestWorker.start({
    entry: appEntry("transfer"),
    namespaces: TRANSFER_NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lunora-interrupt-"));
  source = await start();
  for (let row = 0; row < ROWS; row += 1)
    await result(source, "t:write", { steps: [["insert", "things", { text: LONG, n: row }]] });
  const { code, stderr } = await lunora("export", "--url", source.origin, "--out", "dump", "--tables", "things");
  if (code !== 0) throw new Error(stderr);
});

afterAll(async () => {
  await source.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  target = await start();
  proxy = await HoldingProxy.start(target.origin);
});

afterEach(async () => {
  await proxy.stop();
  await target.stop();
});

/** Runs the import until `held`, and interrupts it there. */
async function interruptedAt(held: Promise<void>, ...options: string[]): Promise<CommandEnd> {
  const running = new RunningCommand(["import", "dump", "--url", proxy.origin, ...options], { cwd: folder, env });
  await Promise.race([
    held,
    running.end.then(({ stderr }) => Promise.reject(new Error(`it ended by itself: ${stderr}`))),
  ]);
  running.interrupt();
  return running.end;
}

/** Arguments of the command between backquotes that ends with `wish`. */
function commandIn(text: string, wish: string): string[] {
  const found = [...text.matchAll(/`lunora ([^`]+)`/g)].map(([, words]) => words ?? "");
  const words = found.find((line) => line.endsWith(wish));
  if (words === undefined) throw new Error(`no command with ${wish} in: ${text}`);
  return words.split(" ");
}

const write = (): Promise<unknown> => result(target, "t:write", { steps: [["insert", "things", { text: "live" }]] });

test("what was staged is kept: the command that it prints goes on with it", async () => {
  const { code, stderr } = await interruptedAt(proxy.hold("import/rows", 1), "--replace");
  expect(code).toBe(130);
  expect(stderr).toContain("error[IMPORT_INTERRUPTED]");
  expect(stderr).toMatch(/interrupted: [1-9]\d* rows are staged/);
  await expect(write()).rejects.toThrow(/IMPORT_IN_PROGRESS|import/);
  const resumed = await lunora(...commandIn(stderr, "--resume"));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stdout).toContain("Counts and hashes are the same on both sides.");
  expect(await proofs(target, TABLES)).toEqual(await proofs(source, TABLES));
  expect(existsSync(join(folder, "dump.import"))).toBe(false);
});

test("or it is given up: the app answers again, and nothing is left", async () => {
  const { stderr } = await interruptedAt(proxy.hold("import/rows", 1));
  const abort = commandIn(stderr, "--abort");
  const aborted = await lunora(...abort);
  expect(aborted.code, aborted.stderr).toBe(0);
  expect(aborted.stdout).toContain("is given up, nothing of it is left");
  await write();
  expect((await proofs(target, TABLES))["things"]?.[0]).toBe(1);
  expect(existsSync(join(folder, "dump.import"))).toBe(false);
  const again = await lunora(...abort, "--json");
  expect([again.code, JSON.parse(again.stdout).error.code]).toEqual([1, "TRANSFER_CHECKPOINT_UNUSABLE"]);
});

test("before rows had arrived it is given up by itself", async () => {
  const { code, stdout } = await interruptedAt(proxy.hold("import/rows"), "--json");
  expect(code).toBe(130);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: "IMPORT_INTERRUPTED",
    message: expect.stringContaining("nothing of it is left") as string,
  });
  await write();
  expect(existsSync(join(folder, "dump.import"))).toBe(false);
});

test("after the commit the rows count: it cannot be given up, and is gone on with", async () => {
  const { code, stderr } = await interruptedAt(proxy.hold("import/finish"));
  expect(code).toBe(130);
  expect(stderr).toContain("interrupted after the commit: the rows count");
  const resume = commandIn(stderr, "--resume");
  const refused = await lunora(...resume.slice(0, -1), "--abort");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("error[IMPORT_NOT_OPEN]");
  expect(commandIn(refused.stderr, "--resume")).toEqual(resume);
  const resumed = await lunora(...resume);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await proofs(target, TABLES)).toEqual(await proofs(source, TABLES));
});

test("a second Ctrl-C ends it at once", async () => {
  const running = new RunningCommand(["import", "dump", "--url", proxy.origin], { cwd: folder, env });
  await proxy.hold("import/rows");
  const aborting = proxy.hold("import/abort");
  running.interrupt();
  await aborting;
  running.interrupt();
  expect((await running.end).code).toBeNull();
  // As one that was killed: the next one goes on.
  const { code, stderr } = await lunora("import", "dump", "--url", proxy.origin, "--resume");
  expect(code, stderr).toBe(0);
});

test("where nothing listens the signal means what it always means", async () => {
  const running = new RunningCommand(["import", "dump", "--url", proxy.origin, "--verify"], { cwd: folder, env });
  await proxy.hold("admin/verify");
  running.interrupt();
  expect((await running.end).code).toBeNull();
});
