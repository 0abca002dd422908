export * from "@lunora/client/batch";
