import { LunoraError } from "@lunora/errors";

import { listCapturedMail, readCapturedMail } from "./inbox.ts";
import type { CapturedMail, CapturedMailSummary, InboxOptions } from "./inbox.ts";

export interface WaitOptions extends InboxOptions {
  /** An address that the mail goes to, in any case. */
  readonly to?: string;
  /** A part of the subject, or a pattern. */
  readonly subject?: string | RegExp;
  /** Only mails from then on, epoch milliseconds by the clock of the server; all of them when left out. */
  readonly since?: number;
  /** Milliseconds; 10,000 when left out. */
  readonly timeout?: number;
}

/** Between two looks, milliseconds. */
const PAUSE = 250;

/**
 * The newest mail that was sent to somebody, once it is there.
 *
 * @throws LunoraError `MAIL_NOT_FOUND` when none came in time; the message says what came instead.
 */
export async function waitForMail(options: WaitOptions): Promise<CapturedMail> {
  const end = Date.now() + (options.timeout ?? 10_000);
  for (;;) {
    const mails = await listCapturedMail({ ...options, limit: 500 });
    const found = mails.find((mail) => matches(mail, options));
    if (found !== undefined) return readCapturedMail(options, found.id);
    if (Date.now() >= end) throw notFound(options, mails);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function matches({ direction, at, to, subject }: CapturedMailSummary, wanted: WaitOptions): boolean {
  if (direction !== "sent" || at < (wanted.since ?? 0)) return false;
  const address = wanted.to?.toLowerCase();
  if (address !== undefined && !to.some((one) => addressOf(one).toLowerCase() === address)) return false;
  if (wanted.subject instanceof RegExp) return subject.search(wanted.subject) >= 0;
  return wanted.subject === undefined || subject.includes(wanted.subject);
}

/** The bare address of one with a name. */
function addressOf(shown: string): string {
  return /<([^<>]*)>$/.exec(shown)?.[1] ?? shown;
}

function notFound({ to, subject }: WaitOptions, mails: readonly CapturedMailSummary[]): LunoraError {
  const wanted = `${to === undefined ? "" : ` to \`${to}\``}${subject === undefined ? "" : ` with the subject \`${subject}\``}`;
  const others = mails.slice(0, 5).map((mail) => `\`${mail.subject}\` to ${mail.to.join(", ")}`);
  return new LunoraError(
    "MAIL_NOT_FOUND",
    `no mail${wanted} came in time; the inbox has ${others.length === 0 ? "none" : others.join("; ")}`,
  );
}
