import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ProcessGroup, quietEnvironment, runToEnd, tellingLines } from "./process-group.mjs";

const folders = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Running and not merely unreaped. */
function runs(pid) {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test.skipIf(process.platform !== "linux")(
  "a group ends with its grandchildren, even those that ignore being asked",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "lunora-bench-test-"));
    folders.push(folder);
    const file = join(folder, "pid");
    const grandchild = `process.on("SIGTERM", () => {}); require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1000)`;
    const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(grandchild)}], { stdio: "ignore" }); setInterval(() => {}, 1000)`;
    const group = new ProcessGroup(process.execPath, ["-e", child]);
    while (!existsSync(file) || readFileSync(file, "utf8") === "") await delay(10);
    const pid = Number(readFileSync(file, "utf8"));
    expect(runs(pid)).toBe(true);
    await group.stop();
    while (runs(pid)) await delay(10);
    expect(group.ended).toBe(true);
  },
);

test("a program that fails says how and with which words", async () => {
  await expect(runToEnd(process.execPath, ["-e", "console.error('no such port'); process.exit(3)"])).rejects.toThrow(
    /Ended with 3[^]*no such port/,
  );
});

test("a program that does not end is ended", async () => {
  await expect(runToEnd(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { limit: 200 })).rejects.toThrow(
    "No end within 200 ms",
  );
});

test("a program that is not there is a failure", async () => {
  await expect(runToEnd("/nowhere/program", [])).rejects.toThrow("ENOENT");
});

test("children are told to stay off the network and get no secrets of ours", () => {
  process.env.LUNORA_BENCH_TEST_TOKEN = "secret";
  try {
    const environment = quietEnvironment();
    expect(environment).toMatchObject({ WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" });
    expect(environment).not.toHaveProperty("LUNORA_BENCH_TEST_TOKEN");
  } finally {
    delete process.env.LUNORA_BENCH_TEST_TOKEN;
  }
});

test("of a long output, the error is told", () => {
  expect(tellingLines("a\nError: broken\n    at x\nb", 2)).toEqual(["Error: broken", "b"]);
  expect(tellingLines("a\nb\nc", 2)).toEqual(["b", "c"]);
});
