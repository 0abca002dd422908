import { dirname, basename } from "node:path";
import { rolldown } from "rolldown";
import { providedByWorkerd, workerConditions } from "./bundle-dependencies.ts";

/**
 * Bundles the whole worker into one module, for development where single modules cannot express what an
 * app imports.
 */
export async function bundleWorker(options: {
  root: string;
  entry: string;
  outputFile: string;
}): Promise<{ inputs: string[] }> {
  const bundle = await rolldown({
    cwd: options.root,
    input: options.entry,
    platform: "neutral",
    external: [...providedByWorkerd],
    resolve: {
      conditionNames: [...workerConditions],
      mainFields: ["module", "main"],
      extensionAlias: { ".js": [".ts", ".tsx", ".js"] },
    },
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("development") } },
    logLevel: "silent",
  });
  try {
    const { output } = await bundle.write({
      dir: dirname(options.outputFile),
      format: "es",
      entryFileNames: basename(options.outputFile),
      codeSplitting: false,
      sourcemap: true,
    });
    return { inputs: output.flatMap((item) => (item.type === "chunk" ? item.moduleIds : [])) };
  } finally {
    await bundle.close();
  }
}
