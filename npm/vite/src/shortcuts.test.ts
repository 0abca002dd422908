// Real Vite, a stream in the place of the terminal.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { PassThrough } from "node:stream";
import { createLogger, createServer } from "vite";
import type { ViteDevServer } from "vite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DevSession } from "./dev-session.ts";
import { inspectorAddress } from "./inspector-address.ts";
import { browserCommand, openInBrowser } from "./open-in-browser.ts";
import { addShortcuts, shortcuts } from "./shortcuts.ts";

let root: string;
let server: ViteDevServer | undefined;
let said: string[];
let terminal: PassThrough;
const stdin = Object.getOwnPropertyDescriptor(process, "stdin");
const ci = process.env["CI"];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "lunora-shortcuts-")));
  terminal = Object.assign(new PassThrough(), { isTTY: true });
  Object.defineProperty(process, "stdin", { configurable: true, value: terminal });
  delete process.env["CI"];
  said = [];
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  if (stdin !== undefined) Object.defineProperty(process, "stdin", stdin);
  if (ci !== undefined) process.env["CI"] = ci;
  rmSync(root, { recursive: true, force: true });
});

function runInspector(pid: number): void {
  mkdirSync(join(root, ".lunora"), { recursive: true });
  const entry = { origin: "http://127.0.0.1:4321", token: "a/b+c", pid };
  writeFileSync(join(root, ".lunora", "inspector.json"), JSON.stringify(entry));
}

/** Vite with the shortcuts; the app has one of its own. */
async function bound(open: (address: string) => Promise<boolean>, theirs = "z"): Promise<string[]> {
  const taken: string[] = [];
  const customLogger = createLogger("info");
  customLogger.info = customLogger.warn = customLogger.error = (text) => void said.push(text);
  server = await createServer({
    root,
    configFile: false,
    customLogger,
    server: { port: 0, host: "127.0.0.1" },
    plugins: [{ name: "under-test", configureServer: (configured) => addShortcuts(configured, shortcuts(open)) }],
  });
  await server.listen();
  server.bindCLIShortcuts({
    print: true,
    customShortcuts: [{ key: theirs, description: "their own", action: () => void taken.push(theirs) }],
  });
  return taken;
}

const press = (key: string): boolean => terminal.write(`${key}\n`);

test("help lists them beside Vite's own, and Vite's and the app's still work", async () => {
  const taken = await bound(() => Promise.resolve(true), "m");
  press("h");
  await vi.waitFor(() => expect(said.join("\n")).toContain("quit"));
  const help = said.join("\n");
  for (const text of ["restart the server", "open Lunora's inspector", "read schema and functions again", "their own"])
    expect(help).toContain(text);
  expect(help).not.toContain("mail inbox");
  press("m");
  await vi.waitFor(() => expect(taken).toEqual(["m"]));
  press("u");
  await vi.waitFor(() => expect(said.join("\n")).toContain("Local"));
});

test("they open pages with the token in the fragment, or say where they are", async () => {
  runInspector(process.pid);
  const opened: string[] = [];
  await bound((address) => Promise.resolve(opened.push(address) < 2));
  press("l");
  await vi.waitFor(() => expect(opened).toEqual(["http://127.0.0.1:4321/#token=a%2Fb%2Bc"]));
  await vi.waitFor(() => {
    // Vite drops a key while the action of another runs.
    press("m");
    expect(said.join("\n")).toContain("http://127.0.0.1:4321/mail#token=a%2Fb%2Bc");
  });
});

test("after one that fails the next key is taken", async () => {
  runInspector(process.pid);
  await bound(() => Promise.reject(new Error("no browser of this kind")));
  press("l");
  await vi.waitFor(() => expect(said.join("\n")).toContain("[lunora] l: no browser of this kind"));
  await vi.waitFor(() => {
    press("g");
    expect(said.join("\n")).toContain("the engine is not running");
  });
});

test("chaos begins with a seed that can be played again, and ends", async () => {
  mkdirSync(join(root, "lunora"));
  writeFileSync(
    join(root, "lunora", "schema.ts"),
    'import { defineSchema } from "lunorash/server";\nexport const schema = defineSchema({});\n',
  );
  writeFileSync(join(root, "package.json"), '{ "dependencies": { "lunorash": "1" } }');
  await bound(() => Promise.resolve(true), "z");
  const session = await DevSession.acquire({ root, port: 0 });
  const seeds: (number | null)[] = [];
  session.listen((notice) => {
    if (notice.type === "chaos") seeds.push(notice.seed);
  });
  try {
    for (const count of [1, 2]) {
      await vi.waitFor(() => {
        if (seeds.length < count) press("x");
        expect(seeds.length).toBe(count);
      }, 20_000);
    }
    expect(seeds).toEqual([expect.any(Number), null]);
    expect(said.join("\n")).not.toContain("[lunora] x:");
  } finally {
    await session.release();
  }
}, 60_000);

test("only the inspector of this process is opened", () => {
  expect(inspectorAddress(root)).toBeUndefined();
  runInspector(process.pid + 1);
  expect(inspectorAddress(root)).toBeUndefined();
  runInspector(process.pid);
  expect(inspectorAddress(root)).toBe("http://127.0.0.1:4321/#token=a%2Fb%2Bc");
});

test("a browser is opened where there is a screen", () => {
  expect(browserCommand("linux", {})).toBeUndefined();
  expect(browserCommand("linux", { DISPLAY: ":0" })).toEqual(["xdg-open"]);
  expect(browserCommand("linux", { DISPLAY: ":0", BROWSER: "none" })).toBeUndefined();
  expect(browserCommand("linux", { BROWSER: "firefox" })).toEqual(["firefox"]);
  expect(browserCommand("darwin", {})).toEqual(["open"]);
});

test("a program that is not there opened nothing", async () => {
  expect(await openInBrowser("http://127.0.0.1/", ["lunora-no-such-program"])).toBe(false);
  expect(await openInBrowser("http://127.0.0.1/", ["true"])).toBe(true);
});
