// A panic in the body of each export, in a real addon that was built to panic on request: JavaScript gets a coded error
// and its process goes on.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const run = promisify(execFile);

let folder: string;

beforeAll(async () => {
  mkdirSync(join(repository, "tests", ".tmp"), { recursive: true });
  folder = mkdtempSync(join(repository, "tests", ".tmp", "panics-"));
  const app = join(folder, "app");
  mkdirSync(join(app, "lunora"), { recursive: true });
  writeFileSync(
    join(app, "package.json"),
    `{ "name": "panics", "type": "module", "dependencies": { "lunorash": "*" } }`,
  );
  writeFileSync(
    join(app, "lunora", "schema.ts"),
    `import { defineSchema } from "lunorash/server";\nexport const schema = defineSchema({});\n`,
  );
  await run(process.execPath, [join(repository, "npm", "workspace", "build-faulty-addon.mjs"), folder]);
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `body` in a process of its own, where `native` is the loader of that addon and `caught` tells of a failure. */
async function inChild(fault: string, body: string): Promise<unknown> {
  const script = `
    import * as native from ${JSON.stringify(pathToFileURL(join(folder, "index.js")).href)};
    const root = ${JSON.stringify(join(folder, "app"))};
    const caught = async (act) => {
      try {
        return { value: await act() };
      } catch (error) {
        return { isToolchainError: error instanceof native.ToolchainError, code: error.code, message: error.message };
      }
    };
    const started = () => native.Engine.start({ root, worker: false }, () => {});
    const served = async () => {
      const { mkdirSync, writeFileSync } = await import("node:fs");
      const folder = root + "/dist/worker";
      mkdirSync(folder, { recursive: true });
      const { LUNORA_FAULT } = process.env;
      delete process.env.LUNORA_FAULT;
      const { manifest } = await native.prepareBuild({ root, workerFile: "dist/worker/worker.js" });
      if (LUNORA_FAULT !== undefined) process.env.LUNORA_FAULT = LUNORA_FAULT;
      writeFileSync(folder + "/lunora.json", manifest);
      writeFileSync(folder + "/worker.js", "export class ShardDO {} export class ShardRegistryDO {} export default {};");
      return native.Server.start({ root, port: 0 }, () => {});
    };
    const fault = ${JSON.stringify(fault)};
    const result = await (async () => { ${body} })();
    // Still alive, and the toolchain still works.
    delete process.env.LUNORA_FAULT;
    const { tables } = await native.codegen({ root });
    console.log(JSON.stringify({ result, tables }));
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { timeout: 60_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const arm = "process.env.LUNORA_FAULT = fault;";

/** How each export is called while it is told to panic. */
const calls: Record<string, string> = {
  codegen: `${arm} return caught(() => native.codegen({ root }));`,
  clientModule: `${arm} return caught(() => native.clientModule({ path: "a.ts", source: "" }));`,
  finishRelease: `${arm} return caught(() => native.finishRelease({ root, lunoraDirectory: "lunora", snapshot: "" }));`,
  interruptCommandLine: `${arm} return caught(() => native.interruptCommandLine());`,
  prepareBuild: `${arm} return caught(() => native.prepareBuild({ root, outputDirectory: "dist" }));`,
  runCommandLine: `${arm} return caught(() => native.runCommandLine({ arguments: ["--help"], directory: root }));`,
  Engine: `${arm} return caught(started);`,
  "Engine.start": `${arm} return caught(started);`,
  "Engine.respond": `const engine = await started(); ${arm}
    const result = await caught(() => engine.respond(1, {})); delete process.env.LUNORA_FAULT; await engine.close(); return result;`,
  "Engine.refresh": `const engine = await started(); ${arm}
    const result = await caught(() => engine.refresh()); delete process.env.LUNORA_FAULT; await engine.close(); return result;`,
  "Engine.setChaos": `const engine = await started(); ${arm}
    const result = await caught(() => engine.setChaos(1)); delete process.env.LUNORA_FAULT; await engine.close(); return result;`,
  "Engine.close": `const engine = await started(); ${arm}
    const result = await caught(() => engine.close()); delete process.env.LUNORA_FAULT; await engine.close(); return result;`,
  Server: `${arm} return caught(served);`,
  "Server.start": `${arm} return caught(served);`,
  "Server.close": `const server = await served(); ${arm}
    const result = await caught(() => server.close(0)); delete process.env.LUNORA_FAULT; await server.close(0); return result;`,
};

test("every export is tried", async () => {
  const script = `
    import { createRequire } from "node:module";
    import { readdirSync } from "node:fs";
    const folder = ${JSON.stringify(folder)};
    const addon = createRequire(import.meta.url)(folder + "/" + readdirSync(folder).find((name) => name.endsWith(".node")));
    const names = [];
    for (const [name, value] of Object.entries(addon)) {
      if (typeof value !== "function") continue;
      names.push(name);
      for (const method of Object.getOwnPropertyNames(value.prototype ?? {})) if (method !== "constructor") names.push(name + "." + method);
    }
    console.log(JSON.stringify(names));
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script]);
  expect((JSON.parse(stdout) as string[]).sort()).toEqual(Object.keys(calls).sort());
});

test.each(Object.entries(calls))("a panic in %s is a coded error, and the process goes on", async (fault, body) => {
  expect(await inChild(fault, body)).toEqual({
    result: {
      isToolchainError: true,
      code: "INTERNAL",
      message: expect.stringContaining(`the fault in \`${fault}\` that was asked for`) as string,
    },
    tables: 0,
  });
});
