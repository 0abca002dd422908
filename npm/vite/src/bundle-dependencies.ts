import { isAbsolute } from "node:path";
import { rolldown } from "rolldown";
import type { OutputChunk } from "rolldown";

/** What the worker runtime provides by itself. */
export const providedByWorkerd: readonly RegExp[] = [/^cloudflare:/, /^node:/, /^workerd:/];

/** Package export conditions of code that runs in workerd, in order. */
export const workerConditions: readonly string[] = ["workerd", "worker", "browser", "module", "import", "default"];

/** What each entry exports, and every file that went into the bundle. */
export interface BundledDependencies {
  entries: Record<string, { exports: string[] }>;
  inputs: string[];
}

/**
 * Bundles npm packages for the development worker, once for a set of specifiers: one entry for each,
 * shared code in chunks, so that a package imported by two others stays one instance.
 */
export async function bundleDependencies(options: {
  root: string;
  entries: readonly { specifier: string; file: string }[];
  outputDirectory: string;
}): Promise<BundledDependencies> {
  const byName = new Map(options.entries.map(({ specifier, file }) => [file.replace(/\.js$/, ""), specifier]));
  const bundle = await rolldown({
    cwd: options.root,
    input: Object.fromEntries(byName),
    platform: "neutral",
    external: [...providedByWorkerd],
    resolve: { conditionNames: [...workerConditions], mainFields: ["module", "main"] },
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("development") } },
    preserveEntrySignatures: "strict",
    logLevel: "silent",
  });
  try {
    const { output } = await bundle.write({
      dir: options.outputDirectory,
      format: "es",
      entryFileNames: "[name].js",
      chunkFileNames: "chunk_[name]_[hash].js",
      minify: false,
    });
    const chunks = output.filter((item): item is OutputChunk => item.type === "chunk");
    const entries: BundledDependencies["entries"] = {};
    const inputs = new Set<string>();
    for (const chunk of chunks) {
      for (const id of chunk.moduleIds) if (isAbsolute(id)) inputs.add(id);
      const specifier = chunk.isEntry ? byName.get(chunk.name) : undefined;
      if (specifier !== undefined) entries[specifier] = { exports: [...chunk.exports] };
    }
    return { entries, inputs: [...inputs].sort() };
  } finally {
    await bundle.close();
  }
}
