export * from "@lunora/client";
