import { LunoraError } from "@lunora/errors";
import type { Environment, Jurisdiction } from "@lunora/server";

import { createCaptureTransport } from "./capture-transport.ts";
import type { SendEmailBinding } from "./cloudflare-transport.ts";
import { developmentInbox } from "./development-inbox.ts";
import { checkJurisdiction } from "./jurisdiction.ts";
import { createMailer } from "./mailer.ts";
import type { Mailer } from "./mailer.ts";
import { shouldCaptureMail } from "./should-capture.ts";

export interface MailerFromEnvOptions {
  /** A binding `send_email` of the Worker. */
  readonly cloudflareSend?: SendEmailBinding | undefined;
  /** What the schema declares: the region whose inbox keeps what development sends. Left out, the mails lie in none. */
  readonly jurisdiction?: Jurisdiction | undefined;
}

/**
 * A mailer by what the environment says: the development inbox where {@link shouldCaptureMail}, else `cloudflareSend`,
 * else `RESEND_API_KEY`. `MAIL_FROM` is the sender.
 *
 * @throws LunoraError `MAIL_NOT_CONFIGURED` without a sender or a way to send, `UNKNOWN_JURISDICTION`, what is wrong
 * with `MAIL_FROM`.
 */
export function createMailerFromEnv(env: Environment, options: MailerFromEnvOptions = {}): Mailer {
  const jurisdiction = checkJurisdiction(options.jurisdiction);
  const from = textOf(env, "MAIL_FROM");
  if (from === undefined)
    throw new LunoraError("MAIL_NOT_CONFIGURED", "`MAIL_FROM` is not set: nobody sends the mails", {
      hint: 'Set it in `wrangler.jsonc`: `"vars": { "MAIL_FROM": "App <app@example.com>" }`.',
    });
  if (shouldCaptureMail(env))
    return createMailer({ from, transport: createCaptureTransport(developmentInbox(env, jurisdiction)) });
  if (options.cloudflareSend !== undefined) return createMailer({ from, cloudflareSend: options.cloudflareSend });
  const apiKey = textOf(env, "RESEND_API_KEY");
  if (apiKey !== undefined) return createMailer({ from, apiKey });
  throw new LunoraError(
    "MAIL_NOT_CONFIGURED",
    "there is nothing to send mails with: no `cloudflareSend`, no `RESEND_API_KEY`, and this is not development",
    {
      hint:
        "Pass a binding `send_email` as `cloudflareSend`, or run `wrangler secret put RESEND_API_KEY`. In development " +
        "set `LUNORA_MAIL_CAPTURE=1` in `.dev.vars`.",
    },
  );
}

function textOf(env: Environment, name: string): string | undefined {
  const value = env[name];
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
