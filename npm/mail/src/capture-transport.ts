import type { Mail, MailTransport, SentMail } from "./message.ts";

/** Takes a mail instead of a provider. May answer what it calls the mail. */
export type MailSink = (mail: Mail) => SentMail | void | Promise<SentMail | void>;

/** Hands every mail to `sink` and sends none. */
export function createCaptureTransport(sink: MailSink): MailTransport {
  return { send: async (mail) => (await sink(mail)) ?? { id: `captured-${crypto.randomUUID()}` } };
}
