import { LunoraError } from "@lunora/errors";

import type { Attachment, Mail, Mailbox, MailTransport, SentMail } from "./message.ts";

/** As much of a binding `send_email` as sending needs. Without the platform's types, so that an app needs none. */
export interface SendEmailBinding {
  send(message: CloudflareMail): Promise<{ readonly messageId?: string } | void>;
}

/** A mail as the platform takes it; it writes the MIME itself. */
export interface CloudflareMail {
  readonly from: string | { readonly name: string; readonly email: string };
  readonly to: string | { readonly name: string; readonly email: string };
  readonly replyTo?: string | { readonly name: string; readonly email: string };
  readonly subject: string;
  readonly headers?: Record<string, string>;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: CloudflareAttachment[];
}

/** A file as the platform takes it. */
export type CloudflareAttachment = {
  readonly filename: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
} & (
  | { readonly disposition: "attachment"; readonly contentId?: undefined }
  | { readonly disposition: "inline"; readonly contentId: string }
);

/**
 * Sends through Cloudflare's `send_email`: one recipient in `to`, at most one `replyTo`, neither `cc` nor `bcc`, so that
 * a mail is taken as a whole or not at all.
 */
export function createCloudflareTransport(binding: SendEmailBinding): MailTransport {
  if (typeof binding?.send !== "function")
    throw new LunoraError("MAIL_NOT_CONFIGURED", "`cloudflareSend` is no binding `send_email`: it has no `send`", {
      hint: 'Bind one in `wrangler.jsonc`: `"send_email": [{ "name": "SEND_EMAIL" }]`.',
    });
  return {
    async send(mail): Promise<SentMail> {
      const message = toCloudflare(mail);
      let answer: { readonly messageId?: string } | void;
      try {
        answer = await binding.send(message);
      } catch (cause) {
        const code = codeOf(cause);
        throw new LunoraError("MAIL_NOT_SENT", `Cloudflare did not take the mail${code === null ? "" : `: ${code}`}`, {
          data: { provider: "cloudflare", code },
          cause,
        });
      }
      return { id: typeof answer?.messageId === "string" ? answer.messageId : crypto.randomUUID() };
    },
  };
}

/** The platform's own code (`E_SENDER_NOT_VERIFIED`); its texts quote addresses and stay on the server. */
function codeOf(error: unknown): string | null {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && /^[A-Z_\d]{1,64}$/.test(code) ? code : null;
}

function toCloudflare({ from, to, cc, bcc, replyTo, subject, text, html, headers, attachments }: Mail): CloudflareMail {
  const [recipient] = to;
  if (recipient === undefined || to.length + cc.length + bcc.length > 1 || replyTo.length > 1)
    throw new LunoraError(
      "MAIL_RECIPIENT_LIMIT",
      `a mail through \`send_email\` has one recipient and at most one \`replyTo\`, this one has ${to.length} in \`to\`, ` +
        `${cc.length} in \`cc\`, ${bcc.length} in \`bcc\` and ${replyTo.length} in \`replyTo\``,
      { hint: "Send one mail to each recipient." },
    );
  const [answerTo] = replyTo;
  return {
    from: mailbox(from),
    to: mailbox(recipient),
    subject,
    ...(answerTo === undefined ? {} : { replyTo: mailbox(answerTo) }),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(attachments.length === 0 ? {} : { attachments: attachments.map(toCloudflareAttachment) }),
  };
}

function mailbox({ address, name }: Mailbox): string | { name: string; email: string } {
  return name === undefined ? address : { name, email: address };
}

function toCloudflareAttachment({ filename, contentType, content, contentId }: Attachment): CloudflareAttachment {
  // A copy: a view of a larger buffer would travel with all of it.
  const file = { filename, type: contentType, content: new Uint8Array(content) };
  return contentId === undefined
    ? { ...file, disposition: "attachment" }
    : { ...file, disposition: "inline", contentId };
}
