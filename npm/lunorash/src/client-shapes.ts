export * from "@lunora/client/shapes";
