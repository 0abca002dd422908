import { clientModule, ToolchainError } from "@lunora/native";
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { normalizePath } from "vite";
import type { Plugin } from "vite";
import type { LunoraOptions } from "./options.ts";
import { overlayPayload } from "./overlay.ts";

const name = /\/mutators\.(?:ts|tsx|mts|js|jsx|mjs)(?:\?|$)/;
/** Asked for as something else than a module. */
const asAsset = /[?&](?:raw|url|inline|worker|sharedworker)(?:[=&]|$)/;

/** What Vite shows of a finding: its place and the lines around it. */
function errorOf(root: string, error: unknown): Error | string {
  if (!(error instanceof ToolchainError)) return error instanceof Error ? error : String(error);
  const payload = overlayPayload(root, error.diagnostics);
  return payload === undefined ? error : Object.assign(new Error(payload.err.message), payload.err);
}

/**
 * Gives pages that import `mutators.ts` each mutator's `apply` and what that uses: neither `server` and `use`, nor
 * what only these import, reaches a browser, in development or when built. The file is loaded so, and not
 * transformed: what is loaded is the text that source maps carry.
 */
export function mutatorsPlugin(options: LunoraOptions): Plugin {
  let root: string;
  return {
    name: "lunora:mutators",
    enforce: "pre",
    configResolved(config) {
      ({ root } = config);
    },
    load: {
      order: "pre",
      filter: { id: name },
      async handler(id) {
        // Where a server renders, and in the worker, the module is whole.
        if (this.environment.config.consumer !== "client" || asAsset.test(id)) return undefined;
        const file = id.replace(/\?.*$/s, "");
        const folder = join(root, options.lunoraDirectory ?? "lunora");
        const folders = [folder, realpathSync(folder)].map(normalizePath);
        if (!folders.includes(normalizePath(dirname(file)))) return undefined;
        const path = normalizePath(relative(root, file));
        const source = await readFile(file, "utf8");
        const { code } = await clientModule({ path, source }).catch((error: unknown) =>
          this.error(errorOf(root, error)),
        );
        return { code, map: null, moduleType: "js" };
      },
    },
  };
}
