export * from "@lunora/react";
