export * from "@lunora/react/server";
