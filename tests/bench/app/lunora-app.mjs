// A Lunora app with as many function files as asked for.
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";
import { functionFile, moduleName, settingsFile, tableCount, tableName } from "./function-file.mjs";

const schemaFile = (files, jurisdiction) => `import { defineSchema, defineTable, v } from "lunorash/server";

export const schema = defineSchema({
${Array.from(
  { length: tableCount(files) },
  (_, index) => `  ${tableName(index)}: defineTable({
    project: v.string(),
    title: v.string(),
    points: v.number(),
    labels: v.array(v.string()),
    state: v.union(v.literal("open"), v.literal("closed")),
  }).index("by_project", ["project"]),
`,
).join("")}})${jurisdiction === undefined ? "" : `.jurisdiction("${jurisdiction}")`};
`;

const manifest = {
  name: "lunora-bench-app",
  private: true,
  type: "module",
  dependencies: { lunorash: "0.1.0" },
};

const viteConfig = `import { lunora } from "lunorash/vite";

export default { plugins: [lunora()], clearScreen: false };
`;

const page = `<!doctype html>
<html lang="en"><head><title>Bench</title></head><body></body></html>
`;

/** A real folder of links, so that caches below `node_modules` belong to this app alone. */
function linkPackages(directory) {
  const folder = join(directory, "node_modules");
  mkdirSync(folder);
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(folder, name));
  }
}

/**
 * @param {string} directory an empty one
 * @param {{files: number, jurisdiction?: string}} options
 */
export function writeLunoraApp(directory, { files, jurisdiction }) {
  const lunora = join(directory, "lunora");
  mkdirSync(lunora, { recursive: true });
  writeFileSync(join(directory, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(join(directory, "vite.config.mjs"), viteConfig);
  writeFileSync(join(directory, "index.html"), page);
  writeFileSync(join(lunora, "schema.ts"), schemaFile(files, jurisdiction));
  writeFileSync(join(lunora, "settings.ts"), settingsFile(0));
  for (let index = 0; index < files; index += 1) {
    writeFileSync(join(lunora, `${moduleName(index)}.ts`), functionFile(index, files));
  }
  linkPackages(directory);
}

/** Back to where nothing was generated or cached. */
export function forgetGenerated(directory) {
  for (const folder of [join(directory, "lunora", "_generated"), join(directory, ".lunora")]) {
    rmSync(folder, { recursive: true, force: true });
  }
}
