export * from "@lunora/client/offline";
