// The native boundary under misuse: many engines, closing at odd moments, forgetting to close, being killed.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { codegen, Engine, prepareBuild, runCommandLine, ToolchainError } from "@lunora/native";
import type { EngineEvent } from "@lunora/native";
import { afterAll, describe, expect, test } from "vitest";

const here = dirname(fileURLToPath(import.meta.url));
const folders: string[] = [];

const app = {
  "package.json": JSON.stringify({ name: "addon-app", type: "module", dependencies: { lunorash: "*" } }),
  "lunora/schema.ts": `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({ notes: defineTable({ text: v.string() }) });
`,
  "lunora/notes.ts": `import { mutation, query, v } from "./_generated/server";
export const list = query.query(async ({ ctx }) => ctx.db.query("notes").collect());
export const add = mutation.input({ text: v.string() }).mutation(async ({ ctx, args }) => ctx.db.insert("notes", args));
`,
};

function newApp(files: Record<string, string> = app): string {
  const parent = join(here, "..", ".tmp");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "addon-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Ids of the workerd processes that work below `folder`. */
function workerdsOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        const status = readFileSync(`/proc/${name}/stat`, "utf8");
        const works = readlinkSync(`/proc/${name}/cwd`);
        return command.includes("workerd") && works.startsWith(folder) && !/\) Z /.test(status);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1500; round += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** A process with an engine; it runs `ending` when the worker is ready, and ends by itself only if `ending` lets it. */
function startChild(folder: string, ending: string): { child: ChildProcess; output: () => string } {
  const script = `
    import { startEngine } from "@lunora/vite";
    const alive = setInterval(() => {}, 1000);
    const engine = await startEngine({ root: ${JSON.stringify(folder)} }, (notice) => {
      if (notice.type === "ready") { console.log("ready " + notice.url); ${ending} }
      if (notice.type === "diagnostics") console.log(notice.rendered);
    });
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: here,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

const ended = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });

describe("the engine", () => {
  test("opens and closes a thousand times", async () => {
    const folder = newApp();
    for (let round = 0; round < 1000; round += 1) {
      const engine = await Engine.start({ root: folder, worker: false }, () => {});
      await engine.close();
    }
    const descriptors = readdirSync("/proc/self/fd").length;
    expect(descriptors).toBeLessThan(400);
  });

  test("can be closed from inside its own callback, and twice", async () => {
    const folder = newApp();
    let started: Promise<Engine>;
    const closed = new Promise<void>((resolve, reject) => {
      started = Engine.start({ root: folder, worker: false }, (event: EngineEvent) => {
        if (event.type !== "generated") return;
        void started
          .then(async (engine) => {
            await engine.close();
            await engine.close();
          })
          .then(resolve, reject);
      });
      started.catch(reject);
    });
    await closed;
  });

  test.each([
    ["exits", "process.exit(7);", 7],
    ["has nothing left to do", "clearInterval(alive);", 0],
  ])("does not hold a process that %s without closing, and takes workerd with it", async (_title, ending, code) => {
    const folder = newApp();
    const { child, output } = startChild(folder, ending);
    expect(await ended(child), output()).toBe(code);
    await until("workerd is gone", () => workerdsOf(folder).length === 0);
  });

  test("leaves no workerd behind when its process is killed", async () => {
    const folder = newApp();
    const { child, output } = startChild(folder, "");
    await until(`the worker is ready: ${output()}`, () => output().includes("ready "));
    expect(workerdsOf(folder).length).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await ended(child);
    await until("workerd is gone", () => workerdsOf(folder).length === 0);
  });

  test("names the process that holds the state", async () => {
    const folder = newApp();
    const { child, output } = startChild(folder, "");
    await until("the worker is ready", () => output().includes("ready "));
    const failure = await Engine.start({ root: folder }, () => {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolchainError);
    expect((failure as ToolchainError).code).toBe("STATE_LOCKED");
    expect((failure as ToolchainError).message).toContain(String(child.pid));
    child.kill("SIGKILL");
    await ended(child);
  });

  test("refuses an answer that nobody asked for", async () => {
    const engine = await Engine.start({ root: newApp(), worker: false }, () => {});
    expect(() => engine.respond(99, {})).toThrow(expect.objectContaining({ code: "HOST_PROTOCOL" }));
    await engine.close();
  });

  test("cannot be used after it was closed", async () => {
    const engine = await Engine.start({ root: newApp(), worker: false }, () => {});
    await engine.close();
    await expect(engine.refresh()).rejects.toMatchObject({ code: "ENGINE_CLOSED" });
  });
});

describe("every export answers nonsense with a code", () => {
  const nonsense = { root: 5, nobody: "knows" } as never;
  test("codegen", () => expect(codegen(nonsense)).rejects.toMatchObject({ code: "HOST_PROTOCOL" }));
  test("prepareBuild", () => expect(prepareBuild(nonsense)).rejects.toMatchObject({ code: "HOST_PROTOCOL" }));
  test("runCommandLine", () => expect(runCommandLine(nonsense)).rejects.toMatchObject({ code: "HOST_PROTOCOL" }));
  test("Engine.start", () => expect(Engine.start(nonsense, () => {})).rejects.toMatchObject({ code: "HOST_PROTOCOL" }));
});
