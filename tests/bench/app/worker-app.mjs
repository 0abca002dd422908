// The same function files behind a plain Durable Object, for wrangler and the Cloudflare Vite plugin.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchFolder } from "../paths.mjs";
import { functionFile, moduleName, settingsFile } from "./function-file.mjs";

const wranglerConfig = {
  name: "lunora-bench-worker",
  main: "functions/worker.ts",
  compatibility_date: "2026-04-01",
  durable_objects: { bindings: [{ name: "SHARD", class_name: "Shard" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Shard"] }],
};

const viteConfig = `import { cloudflare } from "@cloudflare/vite-plugin";

export default { plugins: [cloudflare({ inspectorPort: false })], cacheDir: ".vite", clearScreen: false };
`;

/**
 * The function files with the plain builders beside them.
 *
 * @param {string} folder an empty one
 * @param {{files: number}} options
 */
export function writeFunctionFiles(folder, { files }) {
  mkdirSync(join(folder, "_generated"), { recursive: true });
  copyFileSync(join(benchFolder, "app", "plain-server.ts"), join(folder, "_generated", "server.ts"));
  writeFileSync(join(folder, "settings.ts"), settingsFile(0));
  for (let index = 0; index < files; index += 1) {
    writeFileSync(join(folder, `${moduleName(index)}.ts`), functionFile(index, files));
  }
}

/**
 * @param {string} directory an empty one
 * @param {{files: number, packages: string, leaf: "entry" | "function"}} options `packages`: the folder whose
 *   `node_modules` holds the peer; `leaf`: what imports the module that edits change
 * @returns {string} that module
 */
export function writeWorkerApp(directory, { files, packages, leaf }) {
  const functions = join(directory, "functions");
  writeFunctionFiles(functions, { files });
  const names = Array.from({ length: files }, (_, index) => moduleName(index));
  writeFileSync(
    join(functions, "modules.ts"),
    `${names.map((name) => `import * as ${name} from "./${name}.js";`).join("\n")}

export const modules: Record<string, object> = { ${names.join(", ")} };
`,
  );
  copyFileSync(join(benchFolder, "app", "plain-worker.ts"), join(functions, "worker.ts"));
  const entrySettings = join(functions, "entry-settings.ts");
  writeFileSync(
    entrySettings,
    leaf === "entry" ? settingsFile(0) : "export const revision: number | undefined = undefined;\n",
  );
  writeFileSync(join(directory, "wrangler.jsonc"), `${JSON.stringify(wranglerConfig, undefined, 2)}\n`);
  writeFileSync(join(directory, "vite.config.mjs"), viteConfig);
  writeFileSync(
    join(directory, "package.json"),
    `${JSON.stringify({ name: "lunora-bench-worker", private: true, type: "module" }, undefined, 2)}\n`,
  );
  symlinkSync(join(packages, "node_modules"), join(directory, "node_modules"));
  return leaf === "entry" ? entrySettings : join(functions, "settings.ts");
}
