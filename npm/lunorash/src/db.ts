export * from "@lunora/db";
