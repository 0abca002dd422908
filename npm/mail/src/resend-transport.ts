import { LunoraError } from "@lunora/errors";

import { formatAddress } from "./address.ts";
import { toBase64 } from "./base64.ts";
import type { Mail, Mailbox, MailTransport, SentMail } from "./message.ts";

const URL_OF_RESEND = "https://api.resend.com/emails";

/** How long the provider may take, milliseconds. */
const TIMEOUT = 30_000;

export interface ResendOptions {
  /** Where to send to instead, for a proxy or a test. */
  readonly url?: string;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds; 30,000 when left out. */
  readonly timeoutMs?: number;
}

/**
 * Sends through Resend's HTTP interface. Its errors say which provider, which status and Resend's own name of the
 * error; never a text of the answer, a header or the key.
 */
export function createResendTransport(apiKey: string, options: ResendOptions = {}): MailTransport {
  const { url = URL_OF_RESEND, fetch: send = fetch, timeoutMs = TIMEOUT } = options;
  if (typeof apiKey !== "string" || !/^[\x21-\x7E]+$/.test(apiKey))
    throw new LunoraError("MAIL_NOT_CONFIGURED", "the key of Resend is empty or holds characters that no key has");
  return {
    async send(mail): Promise<SentMail> {
      let response: Response;
      let answer: unknown;
      try {
        response = await send(url, {
          method: "POST",
          headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
          body: JSON.stringify(toResend(mail)),
          // The key goes nowhere else.
          redirect: "manual",
          signal: AbortSignal.timeout(timeoutMs),
        });
        answer = await jsonOf(response);
      } catch (error) {
        const isLate = (error as { readonly name?: unknown } | null)?.name === "TimeoutError";
        // Without the cause, which may quote the request.
        throw notSent(isLate ? `did not answer within ${timeoutMs} ms` : "cannot be reached", null, null);
      }
      const { id, name } = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
      const error = typeof name === "string" && /^[a-z_]{1,64}$/.test(name) ? name : null;
      if (!response.ok)
        throw notSent(`answered ${response.status}${error === null ? "" : ` ${error}`}`, response.status, error);
      if (typeof id !== "string") throw notSent("answered without an id", response.status, null);
      return { id };
    },
  };
}

function notSent(what: string, status: number | null, error: string | null): LunoraError {
  return new LunoraError("MAIL_NOT_SENT", `Resend ${what}`, { data: { provider: "resend", status, error } });
}

/** The answer's JSON, `undefined` when it is none. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function list(mailboxes: readonly Mailbox[]): string[] | undefined {
  return mailboxes.length === 0 ? undefined : mailboxes.map(formatAddress);
}

function toResend({ from, to, cc, bcc, replyTo, subject, html, text, headers, attachments }: Mail): object {
  return {
    from: formatAddress(from),
    to: list(to),
    cc: list(cc),
    bcc: list(bcc),
    reply_to: list(replyTo),
    subject,
    html,
    text,
    headers: headers.length === 0 ? undefined : Object.fromEntries(headers),
    attachments:
      attachments.length === 0
        ? undefined
        : attachments.map(({ filename, content, contentType, contentId }) => ({
            filename,
            content: toBase64(content),
            content_type: contentType,
            content_id: contentId,
          })),
  };
}
