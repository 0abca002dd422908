// What surrounds the app and goes wrong: disks, state files, the workerd program, processes that die. Each is a
// coded message that says what unblocks it, and nothing that was acknowledged is lost.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { TestApp, call, until, workerdsBelow } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import type { Program } from "../support/app.ts";

let app: TestApp;
const undo: (() => void)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) step();
  await app.dispose();
});

const json = { "content-type": "application/json" };

/** Starts Vite without waiting for a worker that may never come. */
async function vite(environment: Record<string, string> = {}): Promise<{ url: string; program: Program }> {
  const port = await freePort();
  const program = app.run("vite", ["dev", "--port", String(port), "--strictPort"], environment);
  const url = `http://localhost:${port}`;
  await until("Vite serves its page", async () => {
    program.assertRuns();
    return (await fetch(url)).ok;
  });
  return { url, program };
}

async function told(program: Program, ...expected: (string | RegExp)[]): Promise<void> {
  for (const part of expected) {
    await until(`${part} is told`, () =>
      typeof part === "string" ? program.output.includes(part) : part.test(program.output),
    ).catch((error) => {
      throw new Error(`\`${part}\` is not in:\n${program.output}`, { cause: error });
    });
  }
}

/** What a call is refused with. */
async function refusal(url: string, functionPath = "notes:list"): Promise<{ status: number; code: string }> {
  const response = await fetch(`${url}/_lunora/rpc`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ functionPath, args: {} }),
  });
  const body = (await response.json()) as { error?: { code: string; message: string } };
  expect(body.error?.message).toEqual(expect.any(String));
  return { status: response.status, code: body.error?.code ?? "" };
}

const texts = async (url: string): Promise<string[]> =>
  ((await call(url, "notes:list")) as { text: string }[]).map(({ text }) => text).sort();

/** Mounts a small file system; `undefined` where this user may not. */
function mountAt(folder: string, size: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0755`, "tmpfs", folder], { stdio: "pipe" });
  } catch {
    return false;
  }
  undo.push(() => execFileSync("umount", ["--lazy", folder]));
  return true;
}

/** Fills a file system to its last byte; calling the result makes room again. */
function fill(folder: string): () => void {
  const ballast = join(folder, ".ballast");
  for (const size of [4096, 512, 64, 8, 1]) {
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(size * 1024), { flag: "a" });
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
    }
  }
  return () => rmSync(ballast, { force: true });
}

describe("state files", () => {
  async function stored(): Promise<void> {
    app = TestApp.copyOf("minimal");
    const { url, vite: program } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    await program.stop("SIGTERM");
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
  }

  test.each([
    ["garbage", "\u0000\u0001garbage"],
    ["nothing", ""],
    ["half a file", '{"version":'],
    ["another version", '{"version":999}'],
    ["another shape", "[]"],
  ])("a layout file with %s is STATE_CORRUPT, and the data stays", async (_title, text) => {
    await stored();
    const layout = app.read(".lunora/state/layout.json");
    app.write(".lunora/state/layout.json", text);
    const { url, program } = await vite();
    await told(program, "STATE_CORRUPT", "layout.json");
    expect(await refusal(url)).toEqual({ status: 503, code: "STATE_CORRUPT" });
    app.write(".lunora/state/layout.json", layout);
    await program.stop();
    const again = await app.dev();
    expect(await texts(again.url)).toEqual(["kept"]);
  });

  test.each([
    ["garbage", "\u0000\u0001garbage"],
    ["a process that is gone", '{"processId":1,"startedAt":0,"command":"vite dev","url":"http://127.0.0.1:1"}'],
  ])("a lock file with %s holds nobody up", async (_title, text) => {
    await stored();
    app.write(".lunora/state/lock", text);
    const { url } = await app.dev();
    expect(await texts(url)).toEqual(["kept"]);
  });

  test("a folder in place of the lock file is told", async () => {
    app = TestApp.copyOf("minimal");
    mkdirSync(app.path(".lunora/state/lock"), { recursive: true });
    const { url, program } = await vite();
    await told(program, "STATE_UNUSABLE", ".lunora/state/lock");
    expect(await refusal(url)).toEqual({ status: 503, code: "STATE_UNUSABLE" });
  });

  test("a file in place of the state folder is told", async () => {
    app = TestApp.copyOf("minimal");
    app.write(".lunora", "not a folder\n");
    const { url, program } = await vite();
    await told(program, "STATE_UNUSABLE", ".lunora");
    expect(await refusal(url)).toEqual({ status: 503, code: "STATE_UNUSABLE" });
  });

  test("a damaged database fails the calls to its shard alone, with a code", async () => {
    app = TestApp.copyOf("minimal");
    app.write(
      "lunora/schema.ts",
      `import { defineSchema, defineTable, v } from "lunorash/server";
export const schema = defineSchema({ entries: defineTable({ room: v.string(), text: v.string() }).shardBy("room") });
`,
    );
    app.write(
      "lunora/app.ts",
      `import { defineApp } from "lunorash/server";
export default defineApp({ authorizeShard: () => true });
`,
    );
    app.write(
      "lunora/notes.ts",
      `import { mutation, query, v } from "./_generated/server";
export const list = query.input({ room: v.string() }).query(({ ctx }) => ctx.db.query("entries").collect());
export const add = mutation.input({ room: v.string(), text: v.string() }).mutation(({ ctx, args }) => ctx.db.insert("entries", args));
`,
    );
    const first = await app.dev();
    const shards = (): string[] =>
      readdirSync(app.path(".lunora/state"), { recursive: true, encoding: "utf8" }).filter((path) =>
        path.endsWith(".sqlite"),
      );
    await call(first.url, "notes:add", { room: "good", text: "kept" });
    const before = new Set(shards());
    await call(first.url, "notes:add", { room: "bad", text: "lost" });
    await first.vite.stop("SIGTERM");
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
    const damaged = shards().filter((path) => !before.has(path));
    expect(damaged.length).toBeGreaterThan(0);
    for (const path of damaged) {
      const file = app.path(join(".lunora/state", path));
      writeFileSync(file, Buffer.alloc(statSync(file).size || 4096, 0x5a));
      for (const beside of ["-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true });
    }
    const { url } = await app.dev();
    for (let round = 0; round < 3; round += 1) {
      const failure = (await call(url, "notes:list", { room: "bad" }).catch((error: unknown) => error)) as {
        code?: string;
        status?: number;
      };
      expect(failure.code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(failure.status).toBeGreaterThanOrEqual(500);
      expect(await call(url, "notes:list", { room: "good" })).toMatchObject([{ text: "kept" }]);
    }
  });
});

describe("the workerd program", () => {
  test("that is not there is named, with the way out", async () => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await vite({ LUNORA_WORKERD: "/nonexistent/workerd" });
    await told(program, /WORKERD_(NOT_FOUND|NOT_RUNNABLE)/, "/nonexistent/workerd", "LUNORA_WORKERD");
    expect((await refusal(url)).code).toMatch(/^WORKERD_/);
  });

  test.each([
    ["a text file", "just text\n", 0o644],
    ["a text file that may be run", "just text\n", 0o755],
    ["an empty file", "", 0o755],
  ])("that is %s is refused", async (_title, text, mode) => {
    app = TestApp.copyOf("minimal");
    const file = app.path("workerd-of-mine");
    app.write("workerd-of-mine", text);
    chmodSync(file, mode);
    const { url, program } = await vite({ LUNORA_WORKERD: file });
    await told(program, "WORKERD_NOT_RUNNABLE", "workerd-of-mine");
    expect((await refusal(url)).code).toBe("WORKERD_NOT_RUNNABLE");
  });

  /** A program of the machine in the place of workerd, with the version that its package would say. */
  function impostor(program: string, version?: string): string {
    const file = app.path("impostor/bin/workerd");
    mkdirSync(app.path("impostor/bin"), { recursive: true });
    copyFileSync(join("/bin", program), file);
    chmodSync(file, 0o755);
    if (version !== undefined)
      app.write("impostor/package.json", JSON.stringify({ name: `@cloudflare/workerd-${process.platform}`, version }));
    return file;
  }

  test.each([
    ["another program", "echo", undefined],
    ["a program that fails", "false", undefined],
    ["an older one", "true", "1.20230101.0"],
  ])("that is %s is refused", async (_title, name, version) => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await vite({ LUNORA_WORKERD: impostor(name, version) });
    await told(program, /WORKERD_(NOT_RUNNABLE|VERSION_UNSUPPORTED)/, "impostor/bin/workerd");
    expect((await refusal(url)).code).toMatch(/^WORKERD_(NOT_RUNNABLE|VERSION_UNSUPPORTED)$/);
  });

  test.each([
    ["with last words", "ls", /unrecognized option|cannot access/],
    ["without a word", "false", /workerd/],
  ])("that dies at start %s is told, and the server stays up", async (_title, name, words) => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await vite({ LUNORA_WORKERD: impostor(name, "1.20261117.1") });
    await told(program, /WORKER_START_FAILED|WORKER_CRASHED/, words);
    expect((await refusal(url)).status).toBe(503);
    expect((await fetch(url)).status).toBe(200);
  });

  test("that is killed under writers is started again, and keeps what it acknowledged", async () => {
    app = TestApp.copyOf("minimal");
    app.write(
      "lunora/notes.ts",
      `${app.read("lunora/notes.ts")}export const all = query.query(({ ctx }) => ctx.db.query("notes").collect());\n`,
    );
    const { url, vite: program } = await app.dev();
    const acknowledged: string[] = [];
    const stop = new AbortController();
    const write = async (writer: number): Promise<void> => {
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        const text = `${writer}-${turn}`;
        for (;;) {
          const response = await fetch(`${url}/_lunora/rpc`, {
            method: "POST",
            headers: { ...json, "x-lunora-mutation-id": text },
            body: JSON.stringify({ functionPath: "notes:add", args: { text } }),
          });
          if (response.ok) break;
          const { error } = (await response.json()) as { error: { code: string } };
          expect(error.code).toMatch(/^[A-Z][A-Z_]+$/);
        }
        acknowledged.push(text);
      }
    };
    const running = [0, 1, 2].map(write);
    try {
      for (let round = 0; round < 5; round += 1) {
        const goal = acknowledged.length + 20;
        await until("the writers get on", () => acknowledged.length >= goal);
        const [before] = workerdsBelow(app.folder);
        process.kill(before!, "SIGKILL");
        await until("another one runs", () => workerdsBelow(app.folder).some((id) => id !== before));
      }
      const goal = acknowledged.length + 20;
      await until("the writers get on", () => acknowledged.length >= goal);
    } finally {
      stop.abort();
      await Promise.all(running);
    }
    const rows = (await call(url, "notes:all")) as { text: string }[];
    expect(rows.map(({ text }) => text).sort()).toEqual([...acknowledged].sort());
    await told(program, /workerd ended/, /started again/);
  });

  test("that is killed while an action runs fails that call with a code, and not the next", async () => {
    app = TestApp.copyOf("minimal");
    app.write(
      "lunora/slow.ts",
      `import { action } from "./_generated/server";
export const never = action.action(async () => {
  console.log("it has begun");
  for (;;) await new Promise((resolve) => setTimeout(resolve, 10));
});
`,
    );
    const { url, vite: program } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    const pending = refusal(url, "slow:never");
    await told(program, "it has begun");
    for (const id of workerdsBelow(app.folder)) process.kill(id, "SIGKILL");
    // What an action has done outside cannot be known, so nobody repeats it.
    expect(await pending).toEqual({ status: 503, code: "RELOADED" });
    expect(program.output.split("it has begun")).toHaveLength(2);
    expect(await texts(url)).toEqual(["kept"]);
  });

  test("that is killed while a mutation runs, has that mutation run once in all", async () => {
    app = TestApp.copyOf("minimal");
    app.write(
      "lunora/slow.ts",
      `import { mutation } from "./_generated/server";
export const add = mutation.mutation(async ({ ctx }) => {
  await ctx.db.insert("notes", { text: "slowly" });
  console.log("it has begun");
  for (const end = Date.now() + 1000; Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 10));
});
`,
    );
    const { url, vite: program } = await app.dev();
    const pending = call(url, "slow:add");
    await told(program, "it has begun");
    for (const id of workerdsBelow(app.folder)) process.kill(id, "SIGKILL");
    await pending;
    expect(await texts(url)).toEqual(["slowly"]);
  });
});

describe("disks", () => {
  test("a `_generated` that may not be written is PATH_READ_ONLY, and the last good code serves", async (context) => {
    app = TestApp.copyOf("minimal");
    const { url, vite: program } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    const folder = app.path("lunora/_generated");
    try {
      execFileSync("chattr", ["+i", folder, join(folder, "api.ts"), join(folder, "functions.ts")], { stdio: "pipe" });
    } catch {
      context.skip("this file system has no immutable files");
    }
    const release = (): void => {
      execFileSync("chattr", ["-i", folder, join(folder, "api.ts"), join(folder, "functions.ts")], { stdio: "pipe" });
    };
    try {
      app.write("lunora/notes.ts", app.read("lunora/notes.ts").replace("export const add", "export const append"));
      await told(program, "PATH_READ_ONLY", "_generated");
      expect(await texts(url)).toEqual(["kept"]);
      await call(url, "notes:add", { text: "still" });
    } finally {
      release();
    }
    app.write("lunora/notes.ts", `${app.read("lunora/notes.ts")}\n`);
    await told(program, "all errors are gone");
    await call(url, "notes:append", { text: "renamed" });
    expect(await texts(url)).toEqual(["kept", "renamed", "still"]);
  });

  test("a read-only disk is told at start", async (context) => {
    app = TestApp.copyOf("minimal");
    const folder = app.path(".lunora");
    if (!mountAt(folder, "1m")) context.skip("this user may not mount");
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const { url, program } = await vite();
    await told(program, "STATE_UNUSABLE", /[Rr]ead-only|writable/);
    expect(await refusal(url)).toEqual({ status: 503, code: "STATE_UNUSABLE" });
  });

  test("a disk that is full for `_generated` is DISK_FULL, and what was there stays whole", async (context) => {
    app = TestApp.copyOf("minimal");
    const folder = app.path("lunora/_generated");
    if (!mountAt(folder, "256k")) context.skip("this user may not mount");
    const { url, vite: program } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    const before = app.read("lunora/_generated/api.ts");
    const makeRoom = fill(folder);
    const many = Array.from(
      { length: 200 },
      (_, index) => `export const more${index} = query.query(() => ${index});\n`,
    );
    app.write("lunora/many.ts", `import { query } from "./_generated/server";\n${many.join("")}`);
    await told(program, "DISK_FULL", /[Ff]ree/);
    expect(app.read("lunora/_generated/api.ts")).toBe(before);
    expect(await texts(url)).toEqual(["kept"]);
    makeRoom();
    app.write("lunora/many.ts", `import { query } from "./_generated/server";\n${many.join("")}\n`);
    await told(program, "all errors are gone");
    expect(await call(url, "many:more7")).toBe(7);
    expect(await texts(url)).toEqual(["kept"]);
  });

  test("a disk that is full for the state is a coded error of the write alone", async (context) => {
    app = TestApp.copyOf("minimal");
    const folder = app.path(".lunora/state");
    if (!mountAt(folder, "4m")) context.skip("this user may not mount");
    const { url } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    const makeRoom = fill(folder);
    const failure = (await call(url, "notes:add", { text: "x".repeat(500_000) }).catch((error: unknown) => error)) as {
      code?: string;
    };
    expect(failure.code).toMatch(/^[A-Z][A-Z_]+$/);
    makeRoom();
    await until("it writes again", () => call(url, "notes:add", { text: "after" }));
    expect((await texts(url)).filter((text) => text.length < 10)).toEqual(["after", "kept"]);
  });
});

describe("sources that are unusual and right", () => {
  test("files that call each other in a circle", async () => {
    app = TestApp.copyOf("minimal");
    app.write(
      "lunora/even.ts",
      `import { isOdd } from "./odd";\nexport function isEven(n: number): boolean {\n  return n === 0 || isOdd(n - 1);\n}\n`,
    );
    app.write(
      "lunora/odd.ts",
      `import { query, v } from "./_generated/server";\nimport { isEven } from "./even";\nexport function isOdd(n: number): boolean {\n  return n !== 0 && isEven(n - 1);\n}\nexport const check = query.input({ n: v.number() }).query(({ args }) => isOdd(args.n));\n`,
    );
    const { url } = await app.dev();
    expect(await call(url, "odd:check", { n: 7 })).toBe(true);
    expect(await call(url, "odd:check", { n: 8 })).toBe(false);
  });

  test("a byte order mark and CRLF, with places where they are", async () => {
    app = TestApp.copyOf("minimal");
    const crlf = (text: string): string => `\ufeff${text.replaceAll("\n", "\r\n")}`;
    const good = app.read("lunora/notes.ts");
    app.write("lunora/notes.ts", crlf(good));
    app.write("lunora/schema.ts", crlf(app.read("lunora/schema.ts")));
    const { url, vite: program } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    expect(await texts(url)).toEqual(["kept"]);
    app.write("lunora/notes.ts", crlf(`${good}\nexport const broken = ;\n`));
    await told(program, "SYNTAX_ERROR", "lunora/notes.ts:9:23");
  });

  test("a function file of 3,000 lines", async () => {
    app = TestApp.copyOf("minimal");
    const lines = Array.from({ length: 3000 }, (_, index) => `export const f${index} = query.query(() => ${index});`);
    app.write("lunora/long.ts", `import { query } from "./_generated/server";\n${lines.join("\n")}\n`);
    const { url } = await app.dev();
    expect(await call(url, "long:f0")).toBe(0);
    expect(await call(url, "long:f2999")).toBe(2999);
    app.edit("lunora/long.ts", "=> 2999)", "=> 3000)");
    await until("the edit is served", async () => (await call(url, "long:f2999")) === 3000);
  });

  test("a file that is renamed, deleted, and comes back", async () => {
    app = TestApp.copyOf("minimal");
    const { url } = await app.dev();
    await call(url, "notes:add", { text: "kept" });
    renameSync(app.path("lunora/notes.ts"), app.path("lunora/memos.ts"));
    await until("the new path is served", () => call(url, "memos:list"));
    expect(await refusal(url)).toEqual({ status: 404, code: "FUNCTION_NOT_FOUND" });
    expect(app.read("lunora/_generated/api.ts")).toContain("memos:list");
    expect(app.read("lunora/_generated/api.ts")).not.toContain("notes:list");
    const text = app.read("lunora/memos.ts");
    rmSync(app.path("lunora/memos.ts"));
    await until("it is gone", async () => (await refusal(url, "memos:list")).code === "FUNCTION_NOT_FOUND");
    app.write("lunora/deep/er/notes.ts", text.replace("./_generated", "../../_generated"));
    await until("it is back", () => call(url, "deep/er/notes:list"));
    renameSync(app.path("lunora/deep"), app.path("lunora/flat"));
    const rows = await until("the folder's new name is served", () => call(url, "flat/er/notes:list"));
    expect(rows).toMatchObject([{ text: "kept" }]);
    expect(existsSync(app.path("lunora/_generated/api.ts"))).toBe(true);
  });
});
