import { createMailerFromEnv } from "lunorash/mail";
import type { Mailer, SendEmailBinding } from "lunorash/mail";
import type { Environment } from "lunorash/server";
import { setting } from "./settings.js";

/** The inbox of the inspector in development; in production the binding `SEND_EMAIL`, or Resend. */
export function mailerOf(env: Environment): Mailer {
  const cloudflareSend = env["SEND_EMAIL"] as SendEmailBinding | undefined;
  return createMailerFromEnv(env, { cloudflareSend, jurisdiction: "eu" });
}

/** Where answers to a thread go: `reply+<key>@…`, which mail routing hands to the Worker. */
export function replyAddress(env: Environment, replyKey: string): string {
  return `reply+${replyKey}@${setting(env, "MAIL_DOMAIN")}`;
}

/** The key of such an address; `null` for any other. */
export function replyKeyOf(address: string): string | null {
  return /^reply\+([\da-f]{32})@/i.exec(address)?.[1]?.toLowerCase() ?? null;
}
