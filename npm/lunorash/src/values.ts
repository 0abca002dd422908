export * from "@lunora/values";
