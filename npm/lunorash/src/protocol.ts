export * from "@lunora/protocol";
