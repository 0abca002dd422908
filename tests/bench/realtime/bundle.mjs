// One module of a worker or of a page, made by the bundler that Vite uses.
import { join } from "node:path";
import { build } from "rolldown";

/**
 * @param {import("rolldown").BuildOptions} options
 * @returns {Promise<string>}
 */
async function bundle(options) {
  const { output } = await build({ ...options, write: false, logLevel: "silent" });
  return output[0].code;
}

const looksIn = (packages) =>
  packages === undefined ? {} : { modules: [join(packages, "node_modules"), "node_modules"] };

/**
 * @param {string} entry
 * @param {{packages?: string, minify?: boolean}} [options] `packages`: a folder whose `node_modules` is looked in as well
 */
export const bundleWorker = (entry, { packages, minify = false } = {}) =>
  bundle({
    input: entry,
    platform: "neutral",
    external: [/^cloudflare:/, /^node:/],
    resolve: {
      conditionNames: ["@lunora/source", "workerd", "worker", "import", "default"],
      mainFields: ["module", "main"],
      ...looksIn(packages),
    },
    output: { format: "esm", codeSplitting: false, minify },
  });

/**
 * @param {string} entry
 * @param {string} packages
 */
export const bundleClient = (entry, packages) =>
  bundle({
    input: entry,
    platform: "browser",
    resolve: { conditionNames: ["@lunora/source", "browser", "import", "default"], ...looksIn(packages) },
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
    output: { format: "esm", codeSplitting: false, minify: true },
  });
