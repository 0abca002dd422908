export * from "@lunora/client/page-deltas";
