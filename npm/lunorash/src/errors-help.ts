export * from "@lunora/errors/help";
