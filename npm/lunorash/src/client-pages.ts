export * from "@lunora/client/pages";
