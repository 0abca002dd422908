export * from "@lunora/do";
