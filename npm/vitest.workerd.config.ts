import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const seed = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed)) throw new Error("LUNORA_SEED is not an integer");
console.log(`LUNORA_SEED=${seed}`);

// Tests that start a real workerd with real SQLite on disk. They wait for what they need and time
// nothing, so the limits only keep a hanging process from hanging the run.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: { conditions: ["@lunora/source"] },
  ssr: { resolve: { conditions: ["@lunora/source"], externalConditions: ["@lunora/source"] } },
  test: {
    include: ["*/src/**/*.workerd.test.ts"],
    environment: "node",
    provide: { seed },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    // Node 20 has a WebSocket, behind this flag.
    execArgv: ["--experimental-websocket"],
  },
});
