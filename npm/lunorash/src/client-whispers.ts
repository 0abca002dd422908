export * from "@lunora/client/whispers";
