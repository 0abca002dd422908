// The harness's own pure parts: no peer is installed and nothing is measured.
import { defineConfig } from "vitest/config";

export default defineConfig({
  cacheDir: "../../node_modules/.vite/bench",
  test: { root: import.meta.dirname, include: ["**/*.test.mjs"], environment: "node" },
});
