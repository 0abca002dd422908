import react from "@vitejs/plugin-react";
import { lunora } from "lunorash/vite";
import { defineConfig } from "vite";

export default defineConfig({ plugins: [react(), lunora()] });
