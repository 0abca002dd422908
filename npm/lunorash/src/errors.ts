export * from "@lunora/errors";
