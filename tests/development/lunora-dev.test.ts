// The command line by itself: the backend without Vite, code generation, and how each of them ends.
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { TestApp, call, until, workerdsBelow } from "../support/app.ts";
import { freePort } from "../support/free-port.mjs";
import type { Program } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

// eslint-disable-next-line no-control-regex -- Escape sequences are what is looked for.
const escapes = /\u001b/;

/** Runs `lunora` to its end. */
async function lunora(
  commandArguments: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | string; output: string }> {
  const program = app.run("lunora", commandArguments, environment);
  const code = await program.ended();
  return { code, output: program.output };
}

/** Runs `lunora dev` and resolves when the worker answers. */
async function dev(commandArguments: string[] = []): Promise<{ url: string; program: Program }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = app.run("lunora", ["dev", "--no-vite", "--port", String(port), ...commandArguments]);
  await until("it serves", async () => {
    program.assertRuns();
    return (await fetch(`${url}/_lunora/status`)).ok;
  });
  return { url, program };
}

describe("lunora dev --no-vite", () => {
  test("serves, follows edits, and says where", async () => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await dev();
    await until("it says where", () => program.output.includes(url));
    await call(url, "notes:add", { text: "kept" });
    app.edit("lunora/notes.ts", "{ text: args.text }", "{ text: `${args.text}!` }");
    await until("the edit is served", () => program.output.includes("worker reloaded"));
    await call(url, "notes:add", { text: "edited" });
    const rows = (await call(url, "notes:list")) as { text: string }[];
    expect(rows.map(({ text }) => text)).toEqual(["edited!", "kept"]);
    expect(program.output).not.toMatch(escapes);
  });

  test("serves an app that has no Vite configuration without being told", async () => {
    app = TestApp.copyOf("minimal");
    rmSync(app.path("vite.config.ts"));
    const port = await freePort();
    const program = app.run("lunora", ["dev", "--port", String(port)]);
    await until("it serves", async () => {
      program.assertRuns();
      return (await fetch(`http://127.0.0.1:${port}/_lunora/status`)).ok;
    });
    await until("it says where", () => program.output.includes("LUNORA v"));
  });

  test("runs Vite where there is a Vite configuration", async () => {
    app = TestApp.copyOf("minimal");
    const port = await freePort();
    const program = app.run("lunora", ["dev", "--port", String(port)]);
    const url = `http://localhost:${port}`;
    await until("it serves", async () => {
      program.assertRuns();
      return (await fetch(`${url}/_lunora/status`)).ok;
    });
    expect(await (await fetch(`${url}/`)).text()).toContain("/@vite/client");
    expect(await program.stop("SIGINT")).toBe(130);
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
  });

  test("--json writes one document a line and nothing else", async () => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await dev(["--json"]);
    const documents = (): { type: string }[] =>
      program.output
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { type: string });
    await until("it is ready", () => documents().some(({ type }) => type === "ready"));
    expect(documents().find(({ type }) => type === "ready")).toMatchObject({ url });
    app.write("lunora/notes.ts", `${app.read("lunora/notes.ts")}export const broken = ;\n`);
    const told = await until("the error is told", () => documents().find(({ type }) => type === "diagnostics"));
    expect(told).toMatchObject({ serving: true, diagnostics: [{ code: "SYNTAX_ERROR", severity: "error" }] });
    expect(await program.stop("SIGTERM")).toBe(143);
    documents();
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("ends on %s with %i and leaves nothing behind", async (signal, code) => {
    app = TestApp.copyOf("minimal");
    const { program } = await dev();
    // The one that serves, and perhaps one that waits for the next worker.
    expect(workerdsBelow(app.folder)).not.toHaveLength(0);
    expect(await program.stop(signal), program.output).toBe(code);
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
  });

  test("ends on a signal that comes before the worker is ready", async () => {
    app = TestApp.copyOf("minimal");
    const program = app.run("lunora", ["dev", "--no-vite", "--port", String(await freePort())]);
    await until("it has begun", () => workerdsBelow(app.folder).length > 0);
    // Ended by the signal itself or by the handler of it: a shell shows 130 for both.
    expect([130, "SIGINT"]).toContain(await program.stop("SIGINT"));
    await until("workerd is gone", () => workerdsBelow(app.folder).length === 0);
  });

  test("refuses a taken port, naming it", async () => {
    app = TestApp.copyOf("minimal");
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port)),
    );
    try {
      const { code, output } = await lunora(["dev", "--no-vite", "--port", String(port)]);
      expect(code).toBe(1);
      expect(output).toContain("PORT_TAKEN");
      expect(output).toContain(String(port));
    } finally {
      await new Promise((resolve) => taken.close(resolve));
    }
  });

  test("refuses a second one on the same state, naming the first", async () => {
    app = TestApp.copyOf("minimal");
    const { url, program } = await dev();
    const { code, output } = await lunora(["dev", "--no-vite", "--port", String(await freePort())]);
    expect(code).toBe(1);
    expect(output).toContain("STATE_LOCKED");
    expect(output).toContain(String(program.child.pid));
    expect(await call(url, "notes:list")).toEqual([]);
  });

  test("says in JSON too why it cannot start", async () => {
    app = TestApp.copyOf("minimal");
    const { program } = await dev();
    const { code, output } = await lunora(["dev", "--no-vite", "--json", "--port", String(await freePort())]);
    expect(code).toBe(1);
    const document = JSON.parse(output) as { error?: unknown };
    expect(document).toMatchObject({ error: { diagnostics: [{ code: "STATE_LOCKED", severity: "error" }] } });
    expect(output).toContain(String(program.child.pid));
  });
});

describe("lunora codegen", () => {
  test("writes what is missing, and then nothing", async () => {
    app = TestApp.copyOf("minimal");
    const first = await lunora(["codegen"]);
    expect(first.code, first.output).toBe(0);
    expect(first.output).toContain("_generated/api.ts");
    expect(app.read("lunora/_generated/api.ts")).toContain("notes:add");
    const second = await lunora(["codegen"]);
    expect(second.code).toBe(0);
    expect(second.output).toContain("up to date");
    expect(second.output).not.toContain("api.ts");
  });

  test("--check is 0 when current, 2 when stale, names the file and writes nothing", async () => {
    app = TestApp.copyOf("minimal");
    expect((await lunora(["codegen"])).code).toBe(0);
    expect((await lunora(["codegen", "--check"])).code).toBe(0);
    app.edit("lunora/notes.ts", "export const add", "export const append");
    const stale = await lunora(["codegen", "--check"]);
    expect(stale.code).toBe(2);
    expect(stale.output).toContain("GENERATED_STALE");
    expect(stale.output).toContain("_generated/api.ts");
    expect(stale.output).toContain("lunora codegen");
    expect(app.read("lunora/_generated/api.ts")).toContain("notes:add");
    rmSync(app.path("lunora/_generated"), { recursive: true });
    expect((await lunora(["codegen", "--check"])).code).toBe(2);
  });

  test("--check finds a generated file that was edited by hand", async () => {
    app = TestApp.copyOf("minimal");
    expect((await lunora(["codegen"])).code).toBe(0);
    app.edit("lunora/_generated/dataModel.ts", "text: string", "text: number");
    const edited = await lunora(["codegen", "--check"]);
    expect(edited.code).toBe(2);
    expect(edited.output).toContain("_generated/dataModel.ts");
    expect((await lunora(["codegen"])).code).toBe(0);
    expect(app.read("lunora/_generated/dataModel.ts")).toContain("text: string");
  });

  test("--json is one document, of success and of failure", async () => {
    app = TestApp.copyOf("minimal");
    const good = await lunora(["codegen", "--json"]);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.output)).toMatchObject({ tables: 1, functions: 2 });
    app.edit("lunora/schema.ts", "v.string()", "v.strings()");
    const bad = await lunora(["codegen", "--json"]);
    expect(bad.code).toBe(2);
    const { error } = JSON.parse(bad.output) as { error: { diagnostics: unknown[] } };
    expect(error.diagnostics).toMatchObject([
      { code: "UNKNOWN_VALIDATOR", labels: [{ file: "lunora/schema.ts", start: { line: 4 } }] },
    ]);
  });

  test("fails with the frame of what is wrong, and keeps what was generated", async () => {
    app = TestApp.copyOf("minimal");
    expect((await lunora(["codegen"])).code).toBe(0);
    app.edit("lunora/schema.ts", "v.string()", "v.strings()");
    const { code, output } = await lunora(["codegen"]);
    expect(code).toBe(2);
    expect(output).toMatch(/UNKNOWN_VALIDATOR[\s\S]*lunora\/schema\.ts:4:[\s\S]*v\.strings\(\)/);
    expect(app.read("lunora/_generated/api.ts")).toContain("notes:add");
  });

  test("works from a folder below the app, and refuses one that is no app", async () => {
    app = TestApp.copyOf("minimal");
    const below = await lunora(["codegen", "--root", app.path("src")]);
    expect(below.code, below.output).toBe(0);
    const nowhere = await lunora(["codegen", "--root", "/proc"]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.output).toContain("PACKAGE_JSON_MISSING");
    const manifest = app.read("package.json");
    app.write("package.json", `{ "name": "playground", }}\n`);
    const broken = await lunora(["codegen"]);
    expect(broken.code).toBe(2);
    expect(broken.output).toMatch(/PACKAGE_JSON_INVALID[\s\S]*package\.json/);
    app.write("package.json", manifest);
    rmSync(app.path("lunora"), { recursive: true });
    const empty = await lunora(["codegen"]);
    expect(empty.code).toBe(2);
    expect(empty.output).toContain("LUNORA_DIRECTORY_MISSING");
    expect(empty.output).toContain("lunora/schema.ts");
  });
});

describe("lunora", () => {
  test("--help and --version are 0 and plain when piped", async () => {
    app = TestApp.copyOf("minimal");
    for (const asked of [["--help"], ["dev", "--help"], ["codegen", "--help"], ["--version"]]) {
      const { code, output } = await lunora(asked);
      expect(code, output).toBe(0);
      expect(output).toMatch(/lunora/);
      expect(output).not.toMatch(escapes);
    }
    const { output } = await lunora(["--help"]);
    expect(output).toContain("codegen");
    expect(output).toContain("dev");
  });

  test.each([
    [["--nonsense"]],
    [["dev", "--nonsense"]],
    [["nonsense"]],
    [["dev", "--port", "0"]],
    [["dev", "--port", "x"]],
    [[]],
  ])("%j is wrong usage", async (wrong) => {
    app = TestApp.copyOf("minimal");
    const { code, output } = await lunora(wrong);
    expect(code).toBe(2);
    expect(output).toMatch(/[Uu]sage|--help/);
  });

  test("colours only when asked to", async () => {
    app = TestApp.copyOf("minimal");
    app.edit("lunora/schema.ts", "v.string()", "v.strings()");
    expect((await lunora(["codegen"])).output).not.toMatch(escapes);
    expect((await lunora(["codegen"], { NO_COLOR: "1", FORCE_COLOR: "1" })).output).not.toMatch(escapes);
  });
});
