import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const seed = Number(process.env["LUNORA_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(seed)) throw new Error("LUNORA_SEED is not an integer");
console.log(`LUNORA_SEED=${seed}`);

// Unit tests of the packages, in plain Node. Tests that need workerd are `*.workerd.test.ts` and
// have a configuration of their own.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: { conditions: ["@lunora/source"] },
  ssr: { resolve: { conditions: ["@lunora/source"], externalConditions: ["@lunora/source"] } },
  test: {
    include: ["*/src/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.workerd.test.ts"],
    environment: "node",
    // Ends what hangs; how long a test takes says nothing on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    provide: { seed },
    // Types are behaviour here: `tsc` runs over them as part of the tests.
    typecheck: { enabled: true, include: ["*/src/**/*.test-d.ts"], tsconfig: "./tsconfig.types.json" },
  },
});
