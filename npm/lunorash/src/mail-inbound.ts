export * from "@lunora/mail/inbound";
