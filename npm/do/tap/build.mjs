// Makes one module of the tap and what it shares with the engine: what the toolchain embeds.
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

/** Where the toolchain takes it from. */
export const TAP = fileURLToPath(new URL("dist/tap.js", import.meta.url));

/** @returns {Promise<string>} its text */
export async function bundleTap() {
  const { output } = await build({
    input: fileURLToPath(new URL("tap.js", import.meta.url)),
    platform: "neutral",
    external: [/^cloudflare:/, /^node:/, "./settings.js"],
    resolve: { conditionNames: ["@lunora/source", "workerd", "import", "default"] },
    output: { format: "esm", codeSplitting: false },
    write: false,
    logLevel: "silent",
  });
  return output[0].code.replaceAll(/^\/\/#(?:end)?region.*\n/gm, "");
}
