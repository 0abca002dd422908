// Makes the one module that the toolchain embeds from the tap and what it shares with the engine.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

/** Where the toolchain takes it from. */
export const TAP = fileURLToPath(new URL("../../../crates/lunora_inspector/src/tap.js", import.meta.url));

/** @returns {Promise<string>} */
export async function buildTap() {
  const { output } = await build({
    input: fileURLToPath(new URL("tap.js", import.meta.url)),
    platform: "neutral",
    external: [/^cloudflare:/, /^node:/, "./settings.js"],
    resolve: { conditionNames: ["@lunora/source", "workerd", "import", "default"] },
    output: { format: "esm", codeSplitting: false },
    write: false,
    logLevel: "silent",
  });
  return `// Made by npm/do/tap/build.mjs: edit npm/do/tap/tap.js.\n${output[0].code.replaceAll(/^\/\/#(?:end)?region.*\n/gm, "")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(TAP, await buildTap());
