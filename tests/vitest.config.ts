// Tests that cross packages: the native addon, real Vite servers, real workerd, a real browser.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", ".tmp/**", "bench/**"],
    environment: "node",
    // Generous: these wait for processes, and a machine may be busy. Nothing asserts a time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Each file starts servers and browsers of its own.
    fileParallelism: false,
  },
});
