// Save of a function file to its types on disk.
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const limit = 30_000;
const quiet = 300;

/**
 * @param {{file: string, text: string, generated: string, marker: string}} edit `marker` appears in `generated` once it is current
 * @returns {Promise<number>} milliseconds
 */
export async function timeToDisk({ file, text, generated, marker }) {
  await delay(quiet);
  const saved = performance.now();
  writeFileSync(file, text);
  for (;;) {
    if (readIfThere(generated).includes(marker)) return performance.now() - saved;
    if (performance.now() - saved > limit)
      throw new Error(`\`${marker}\` was not in \`${generated}\` within ${limit} ms.`);
    await delay(1);
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}
