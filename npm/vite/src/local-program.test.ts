import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localProgram } from "./local-program.ts";
import { runProgram } from "./run-program.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lunora-program-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function install(folder: string, name: string, bin: unknown): string {
  const home = join(root, folder, "node_modules", name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, bin }));
  return home;
}

test("a program is the app's own, from its folder upwards, in either form of `bin`", () => {
  const app = join(root, "apps", "chat");
  mkdirSync(app, { recursive: true });
  const shared = install(".", "vite", { vite: "bin/vite.js", other: "no.js" });
  expect(localProgram(app, "vite")).toBe(join(shared, "bin/vite.js"));
  const own = install("apps/chat", "vite", "./run.js");
  expect(localProgram(app, "vite")).toBe(join(own, "run.js"));
});

test("one that is not installed, or has no command, is told with the way to install it", () => {
  install(".", "wrangler", { other: "x.js" });
  for (const name of ["wrangler", "absent-program"]) {
    expect(() => localProgram(root, name)).toThrow(
      expect.objectContaining({ code: "LOCAL_TOOL_MISSING", help: `Install it: npm install --save-dev ${name}` }),
    );
  }
});

test("a program ends with its code, or with 128 and the number of its signal", async () => {
  const script = join(root, "program.mjs");
  writeFileSync(
    script,
    "const [how] = process.argv.slice(2); how === 'kill' ? process.kill(process.pid, 'SIGKILL') : process.exit(Number(how));",
  );
  const listeners = (): number[] => ["SIGTERM", "SIGINT"].map((signal) => process.listenerCount(signal));
  const before = listeners();
  expect(await runProgram(script, ["0"], root, "stdout")).toBe(0);
  expect(await runProgram(script, ["7"], root, "stderr")).toBe(7);
  expect(await runProgram(script, ["kill"], root, "stdout")).toBe(137);
  expect(listeners()).toEqual(before);
});
