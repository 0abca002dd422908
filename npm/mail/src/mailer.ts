import { LunoraError } from "@lunora/errors";

import { parseAddress } from "./address.ts";
import { checkMessage } from "./check-message.ts";
import { createCloudflareTransport } from "./cloudflare-transport.ts";
import type { SendEmailBinding } from "./cloudflare-transport.ts";
import type { AddressInput, MailMessage, MailTransport, SentMail } from "./message.ts";
import { createResendTransport } from "./resend-transport.ts";

/** Exactly one of `transport`, `cloudflareSend` and `apiKey`. */
export interface MailerOptions {
  /** Who sends, where a mail says nothing else. */
  readonly from: AddressInput;
  /** One of this package's, or an object with `send`. */
  readonly transport?: MailTransport;
  /** A binding `send_email` of the Worker. */
  readonly cloudflareSend?: SendEmailBinding;
  /** Of Resend. */
  readonly apiKey?: string;
}

/** Sends mails. */
export interface Mailer {
  /**
   * Resolves when the transport has taken the mail.
   *
   * @throws LunoraError `MAIL_HEADER_INJECTION` and `MAIL_INVALID` before anything leaves, `MAIL_RECIPIENT_LIMIT` when
   * the transport takes fewer recipients, `MAIL_NOT_SENT` when the provider did not take it.
   */
  send(message: MailMessage): Promise<SentMail>;
}

/**
 * A mailer over one transport.
 *
 * @throws LunoraError `MAIL_NOT_CONFIGURED` without a transport or with several; what is wrong with `from`.
 */
export function createMailer(options: MailerOptions): Mailer {
  const from = parseAddress(options.from, "from");
  const transport = chooseTransport(options);
  return { send: async (message) => transport.send(checkMessage(message, from)) };
}

function chooseTransport({ transport, cloudflareSend, apiKey }: MailerOptions): MailTransport {
  const given = Object.entries({ transport, cloudflareSend, apiKey }).filter(([, value]) => value !== undefined);
  if (given.length !== 1)
    throw new LunoraError(
      "MAIL_NOT_CONFIGURED",
      given.length === 0
        ? "the mailer has no transport: none of `transport`, `cloudflareSend` and `apiKey` is given"
        : `the mailer has ${given.length} transports: ${given.map(([name]) => `\`${name}\``).join(", ")}`,
      { hint: "Give exactly one of `transport`, `cloudflareSend` and `apiKey`." },
    );
  if (cloudflareSend !== undefined) return createCloudflareTransport(cloudflareSend);
  if (apiKey !== undefined) return createResendTransport(apiKey);
  if (typeof transport?.send !== "function")
    throw new LunoraError("MAIL_NOT_CONFIGURED", "`transport` has no `send` method");
  return transport;
}
