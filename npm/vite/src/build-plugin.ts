import { prepareBuild, ToolchainError } from "@lunora/native";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { styleText } from "node:util";
import type { Plugin } from "vite";
import { providedByWorkerd, workerConditions } from "./bundle-dependencies.ts";
import type { LunoraOptions } from "./options.ts";

/** The name of the Vite environment that builds the worker. */
export const workerEnvironment = "lunora";

/** Where `vite build` puts the worker, below the project root. */
const workerFolder = "dist/worker";
const workerFile = "worker.js";
/** Says of the worker beside it what `lunora start` has to know. */
const manifestFile = "lunora.json";

/** `vite build`: code generation, the client, the worker, and an up-to-date wrangler configuration. */
export function buildPlugin(options: LunoraOptions): Plugin {
  let manifest = "";
  return {
    name: "lunora:build",
    apply: "build",
    async config(config, { command }) {
      if (command !== "build") return undefined;
      const root = config.root ?? process.cwd();
      const lunoraDirectory = options.lunoraDirectory ?? "lunora";
      const clientFolder = config.build?.outDir ?? "dist/client";
      const preparation = await prepareBuild({
        root,
        lunoraDirectory,
        workerFile: `${workerFolder}/${workerFile}`,
        color: styleText("red", "x") !== "x" && process.env["NO_COLOR"] === undefined,
        // An app without a page has no client to serve.
        ...(existsSync(join(root, "index.html")) ? { clientDirectory: clientFolder } : {}),
      }).catch((error: unknown) => {
        if (error instanceof ToolchainError)
          throw Object.assign(new Error(`\n${error.rendered}`), { code: error.code, stack: "" });
        throw error;
      });
      manifest = preparation.manifest;
      if (preparation.rendered !== "") process.stderr.write(`${preparation.rendered}\n`);
      for (const change of preparation.wranglerChanges) {
        process.stdout.write(`[lunora] ${relative(root, preparation.wranglerFile)}: ${change}\n`);
      }
      return {
        builder: {},
        environments: {
          client: { build: { outDir: clientFolder } },
          [workerEnvironment]: {
            consumer: "server" as const,
            resolve: { conditions: [...workerConditions], noExternal: true, builtins: [...providedByWorkerd] },
            define: { "process.env.NODE_ENV": JSON.stringify("production") },
            build: {
              outDir: join(root, workerFolder),
              emptyOutDir: true,
              copyPublicDir: false,
              target: "es2023",
              minify: true,
              sourcemap: true,
              rolldownOptions: {
                input: preparation.entry,
                external: [...providedByWorkerd],
                platform: "neutral" as const,
                preserveEntrySignatures: "strict" as const,
                output: { format: "es" as const, entryFileNames: workerFile, codeSplitting: false },
              },
            },
          },
        },
      };
    },
    generateBundle() {
      if (this.environment.name === workerEnvironment)
        this.emitFile({ type: "asset", fileName: manifestFile, source: manifest });
    },
  };
}
