import { defineConfig } from "vite";
import type { UserConfig } from "vite";

// What the addon embeds. Nothing is inlined into the page: its content security policy would refuse it.
const config: UserConfig = defineConfig({
  base: "/",
  // What Preact's types call for is what the code is compiled to.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});

export default config;
