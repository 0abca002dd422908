export * from "@lunora/runtime";
