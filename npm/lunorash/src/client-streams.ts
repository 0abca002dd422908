export * from "@lunora/client/streams";
