export * from "@lunora/mail/testing";
