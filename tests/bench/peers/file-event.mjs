// The floor of every watcher: how long the system takes to say that a file was saved.
import { watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { settingsFile } from "../app/function-file.mjs";

const limit = 5000;
const quiet = 300;

/** @type {import("../bench.mjs").Open} */
export const fileEvent = async ({ directory }) => {
  /** @type {(() => void) | undefined} */
  let heard;
  const watcher = watch(directory, () => heard?.());
  let revision = 0;
  return {
    sample: async () => {
      await delay(quiet);
      revision += 1;
      const late = new AbortController();
      try {
        const event = new Promise((resolve) => {
          heard = () => resolve(performance.now());
        });
        const saved = performance.now();
        writeFileSync(join(directory, "settings.ts"), settingsFile(revision));
        const at = await Promise.race([event, delay(limit, undefined, { signal: late.signal })]);
        if (at === undefined) throw new Error(`No file event within ${limit} ms.`);
        return at - saved;
      } finally {
        late.abort();
      }
    },
    close: async () => watcher.close(),
  };
};
