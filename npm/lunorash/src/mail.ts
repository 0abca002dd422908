export * from "@lunora/mail";
