export { createCaptureTransport } from "./capture-transport.ts";
export type { MailSink } from "./capture-transport.ts";
export { createCloudflareTransport } from "./cloudflare-transport.ts";
export type { CloudflareAttachment, CloudflareMail, SendEmailBinding } from "./cloudflare-transport.ts";
export { createMailerFromEnv } from "./from-env.ts";
export type { MailerFromEnvOptions } from "./from-env.ts";
export { createMailer } from "./mailer.ts";
export type { Mailer, MailerOptions } from "./mailer.ts";
export type {
  AddressInput,
  Attachment,
  AttachmentInput,
  Mail,
  Mailbox,
  MailMessage,
  MailTransport,
  SentMail,
} from "./message.ts";
export { createResendTransport } from "./resend-transport.ts";
export type { ResendOptions } from "./resend-transport.ts";
export { shouldCaptureMail } from "./should-capture.ts";
