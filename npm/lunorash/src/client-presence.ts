export * from "@lunora/client/presence";
