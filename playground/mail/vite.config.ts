import { lunora } from "lunorash/vite";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [lunora()] });
