import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import type { OutputChunk, Plugin, RolldownLog } from "rolldown";
import { commonJsEntry, commonJsNames } from "./commonjs-names.ts";

/** What the worker runtime provides by itself. */
export const providedByWorkerd: readonly RegExp[] = [/^cloudflare:/, /^node:/, /^workerd:/];

/** Package export conditions of code that runs in workerd, in order. */
export const workerConditions: readonly string[] = ["workerd", "worker", "browser", "module", "import", "default"];

/** What each entry exports, and every file that went into the bundle. */
export interface BundledDependencies {
  entries: Record<string, { exports: string[] }>;
  inputs: string[];
  /** What could not be found out, for people. */
  notices: string[];
}

/** Remembers which entries are CommonJS: their files, and by what name. */
function findCommonJs(found: Map<string, string>): Plugin {
  return {
    name: "lunora:find-commonjs",
    generateBundle(_options, output) {
      for (const chunk of Object.values(output)) {
        if (chunk.type !== "chunk" || !chunk.isEntry || chunk.facadeModuleId === null) continue;
        if (this.getModuleInfo(chunk.facadeModuleId)?.inputFormat === "cjs") found.set(chunk.fileName, chunk.name);
      }
    },
  };
}

function isModuleProject(root: string): boolean {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { type?: string };
  return manifest.type === "module";
}

/** Gives CommonJS entries the names that they export; the bundler knows only their whole. */
async function nameExports(
  root: string,
  directory: string,
  specifiers: ReadonlyMap<string, string>,
): Promise<{ exports: Map<string, string[]>; notices: string[] }> {
  const exports = new Map<string, string[]>();
  const notices: string[] = [];
  if (specifiers.size === 0) return { exports, notices };
  const urls = new Map([...specifiers.keys()].map((file) => [file, pathToFileURL(join(directory, file)).href]));
  const { names, failures } = await commonJsNames([...urls.values()]);
  const asModules = isModuleProject(root);
  for (const [file, url] of urls) {
    const inner = `commonjs_${file}`;
    renameSync(join(directory, file), join(directory, inner));
    writeFileSync(join(directory, file), commonJsEntry(`./${inner}`, names[url] ?? [], asModules));
    exports.set(file, ["default", ...(names[url] ?? [])]);
    const failure = failures[url];
    if (failure !== undefined) {
      notices.push(
        `\`${specifiers.get(file)}\` could not be run to see what it exports, so only its default export can be imported: ${failure}`,
      );
    }
  }
  return { exports, notices };
}

/**
 * Bundles npm packages for the development worker, once for a set of specifiers: one entry for each,
 * shared code in chunks, so that a package imported by two others stays one instance.
 *
 * Fails when something they import is not there: the bundle would be kept, and stay broken when it is.
 */
export async function bundleDependencies(options: {
  root: string;
  entries: readonly { specifier: string; file: string }[];
  outputDirectory: string;
}): Promise<BundledDependencies> {
  const byName = new Map(options.entries.map(({ specifier, file }) => [file.replace(/\.js$/, ""), specifier]));
  const commonJs = new Map<string, string>();
  const unresolved: RolldownLog[] = [];
  const bundle = await rolldown({
    cwd: options.root,
    input: Object.fromEntries(byName),
    platform: "neutral",
    external: [...providedByWorkerd],
    resolve: { conditionNames: [...workerConditions], mainFields: ["module", "main"] },
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("development") } },
    preserveEntrySignatures: "strict",
    plugins: [findCommonJs(commonJs)],
    onLog: (_level, log) => {
      if (log.code === "UNRESOLVED_IMPORT") unresolved.push(log);
    },
  });
  try {
    const { output } = await bundle.write({
      dir: options.outputDirectory,
      format: "es",
      entryFileNames: "[name].js",
      chunkFileNames: "chunk_[name]_[hash].js",
      minify: false,
    });
    if (unresolved.length > 0) throw new Error(unresolved.map(({ message }) => message).join("\n"));
    const chunks = output.filter((item): item is OutputChunk => item.type === "chunk");
    const named = await nameExports(
      options.root,
      options.outputDirectory,
      new Map([...commonJs].map(([file, name]) => [file, byName.get(name) ?? file])),
    );
    const entries: BundledDependencies["entries"] = {};
    const inputs = new Set<string>();
    for (const chunk of chunks) {
      for (const id of chunk.moduleIds) if (isAbsolute(id)) inputs.add(id);
      const specifier = chunk.isEntry ? byName.get(chunk.name) : undefined;
      if (specifier !== undefined)
        entries[specifier] = { exports: named.exports.get(chunk.fileName) ?? [...chunk.exports] };
    }
    return { entries, inputs: [...inputs].sort(), notices: named.notices };
  } finally {
    await bundle.close();
  }
}
