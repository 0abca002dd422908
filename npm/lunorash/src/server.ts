export * from "@lunora/server";
