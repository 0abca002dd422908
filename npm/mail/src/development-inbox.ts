import { observer } from "@lunora/runtime";
import type { Environment, Jurisdiction } from "@lunora/server";

import { toBase64 } from "./base64.ts";
import type { MailSink } from "./capture-transport.ts";
import type { Mail, Mailbox, SentMail } from "./message.ts";
import { warnOnce } from "./warn-once.ts";

/** The service behind which the engine keeps what development sends; bound by `lunora dev` alone. */
const BINDING = "__lunora_mail";

/** How long the inbox may take, milliseconds: a send waits for it. */
const TIMEOUT = 5_000;

/** Of a mail that was let go because there is no inbox. */
const UNCAPTURED: SentMail = { id: "uncaptured" };

interface Service {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

function lost(why: string): SentMail {
  warnOnce(`mails are captured and lost: ${why}. Run \`lunora dev\`, whose inspector has the inbox`);
  return UNCAPTURED;
}

/**
 * Puts mails into the inbox of the region. Never throws: a mail of development that is lost is less than a sign-in that
 * fails because of it.
 */
export function developmentInbox(
  env: Environment,
  region: Jurisdiction | undefined,
  timeoutMs: number = TIMEOUT,
): MailSink {
  return async (mail) => {
    const service = env[BINDING] as Partial<Service> | undefined;
    if (typeof service?.fetch !== "function") return lost("there is no development inbox here");
    try {
      const response = await service.fetch("http://lunora.mail/mail", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(toInbox(mail, region)),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const answer = (await response.json()) as { readonly id?: unknown } | null;
      if (!response.ok || typeof answer?.id !== "string") return lost(`the inbox answered ${response.status}`);
      return { id: answer.id };
    } catch {
      return lost("the inbox does not answer");
    }
  };
}

function toInbox(mail: Mail, region: Jurisdiction | undefined): object {
  const { from, to, cc, bcc, replyTo, subject, html, text, headers, attachments } = mail;
  const scope = observer()?.current();
  return {
    region: region ?? null,
    call: scope?.call,
    functionPath: scope?.functionPath,
    from: mailbox(from),
    to: to.map(mailbox),
    cc: cc.map(mailbox),
    bcc: bcc.map(mailbox),
    replyTo: replyTo.map(mailbox),
    subject,
    html,
    text,
    headers: Object.fromEntries(headers),
    attachments: attachments.map(({ filename, contentType, content, contentId }) => ({
      name: filename,
      type: contentType,
      content: toBase64(content),
      contentId,
    })),
  };
}

function mailbox({ address, name }: Mailbox): object {
  return { email: address, name };
}
