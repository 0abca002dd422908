export * from "@lunora/vite";
export { default } from "@lunora/vite";
