// `lunora dev`: the engine without Vite's client where there is no Vite config, through Vite where there is one.
import { afterEach, describe, expect, test } from "vitest";
import { TestApp, call, freePort, until, workerdsBelow } from "../support/app.ts";
import type { Program } from "../support/app.ts";

let app: TestApp;

afterEach(async () => {
  await app.dispose();
});

function withoutVite(): TestApp {
  const copy = TestApp.copyOf("minimal");
  copy.remove("vite.config.ts");
  return copy;
}

async function start(program: Program, url: string): Promise<void> {
  await until(`lunora dev serves: ${program.output}`, async () => {
    if (program.child.exitCode !== null) throw new Error(program.output);
    return (await fetch(`${url}/_lunora/status`)).ok;
  });
}

describe("lunora dev without Vite", () => {
  test("serves, follows edits, keeps data over a restart, and ends clean", async () => {
    app = withoutVite();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const program = app.run("lunora", ["dev", "--port", String(port)]);
    await start(program, url);
    await until("it says where", () => program.output.includes(`:${port}`));
    await call(url, "notes:add", { text: "first" });

    app.edit("lunora/notes.ts", "{ text: args.text }", "{ text: `${args.text}!` }");
    await until("the edit is served", () => program.output.includes("worker reloaded"));
    await call(url, "notes:add", { text: "second" });

    const good = app.read("lunora/notes.ts");
    app.write("lunora/notes.ts", `${good}\nexport const broken = ;\n`);
    await until("the error has its place", () => /lunora\/notes\.ts:9:23/.test(program.output));
    expect(program.output).toContain("SYNTAX_ERROR");
    expect(program.output).toContain("the last good worker keeps serving");
    expect(await call(url, "notes:list")).toMatchObject([{ text: "second!" }, { text: "first" }]);
    app.write("lunora/notes.ts", good);
    await until("the repair is told", () => program.output.includes("all errors are gone"));

    expect(await program.stop("SIGINT")).toBe(130);
    expect(workerdsBelow(app.folder)).toEqual([]);

    const again = app.run("lunora", ["dev", "--port", String(port)]);
    await start(again, url);
    expect(await call(url, "notes:list")).toMatchObject([{ text: "second!" }, { text: "first" }]);
    expect(await again.stop("SIGTERM")).toBe(143);
    expect(workerdsBelow(app.folder)).toEqual([]);
  });

  test("speaks JSON when asked to", async () => {
    app = withoutVite();
    const port = await freePort();
    const program = app.run("lunora", ["dev", "--json", "--port", String(port)]);
    await start(program, `http://127.0.0.1:${port}`);
    app.edit("lunora/notes.ts", "args.text", "args.");
    await until("the error is told", () => program.output.includes("SYNTAX_ERROR"));
    const notices = program.output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; diagnostics?: { code: string; labels: { start: { line: number } }[] }[] });
    expect(notices.map(({ type }) => type)).toEqual(expect.arrayContaining(["generated", "ready", "diagnostics"]));
    const told = notices.find(({ type }) => type === "diagnostics")?.diagnostics?.[0];
    expect(told).toMatchObject({ code: "SYNTAX_ERROR", labels: [{ file: "lunora/notes.ts", start: { line: 7 } }] });
  });

  test("refuses a port that is taken, by name", async () => {
    app = withoutVite();
    const port = await freePort();
    const first = app.run("lunora", ["dev", "--port", String(port)]);
    await start(first, `http://127.0.0.1:${port}`);
    const other = withoutVite();
    try {
      const second = other.run("lunora", ["dev", "--port", String(port)]);
      expect(await second.ended()).toBe(1);
      expect(second.output).toContain("PORT_TAKEN");
      expect(second.output).toContain(String(port));
    } finally {
      await other.dispose();
    }
  });

  test("refuses a state folder that another process holds, and names the holder", async () => {
    app = withoutVite();
    const first = app.run("lunora", ["dev", "--port", String(await freePort())]);
    await until("it runs", () => workerdsBelow(app.folder).length === 1);
    const second = app.run("lunora", ["dev", "--port", String(await freePort())]);
    expect(await second.ended()).toBe(1);
    expect(second.output).toContain("STATE_LOCKED");
    expect(second.output).toContain(String(first.child.pid));
  });
});

test("lunora dev runs Vite where the app has a Vite config", async () => {
  app = TestApp.copyOf("minimal");
  const port = await freePort();
  const program = app.run("lunora", ["dev", "--port", String(port)]);
  await start(program, `http://localhost:${port}`);
  expect(await (await fetch(`http://localhost:${port}/`)).text()).toContain("/@vite/client");
  await program.stop("SIGINT");
  expect(workerdsBelow(app.folder)).toEqual([]);
});
