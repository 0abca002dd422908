export * from "@lunora/scheduler";
