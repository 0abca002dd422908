import { LunoraError } from "@lunora/errors";

/** The inspector of a development server: both are in `.lunora/inspector.json` of the app while it runs. */
export interface InboxOptions {
  /** `http://127.0.0.1:51234` */
  readonly origin: string;
  readonly token: string;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** A line of the inbox. */
export interface CapturedMailSummary {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** `ada@example.com`, or `Ada <ada@example.com>`. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly direction: "sent" | "inbound";
  readonly region: string | null;
  /** The function that sent it. */
  readonly functionPath?: string;
}

/** A mail of the inbox. */
export interface CapturedMail extends CapturedMailSummary {
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly replyTo: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text?: string;
  readonly html?: string;
  readonly links: readonly string[];
  readonly codes: readonly string[];
}

/** The mails of the inbox, newest first. `search` is that of the page: `to:ada@example.com subject:sign`. */
export async function listCapturedMail(
  options: InboxOptions & { readonly search?: string; readonly limit?: number },
): Promise<readonly CapturedMailSummary[]> {
  const query = new URLSearchParams({ limit: String(options.limit ?? 100) });
  if (options.search !== undefined) query.set("search", options.search);
  const { mails } = await ask<{ readonly mails: readonly CapturedMailSummary[] }>(options, `/api/mail?${query}`);
  return mails.toSorted((left, right) => right.at - left.at);
}

/** One mail with its bodies. */
export async function readCapturedMail(options: InboxOptions, id: string): Promise<CapturedMail> {
  return ask<CapturedMail>(options, `/api/mail/${encodeURIComponent(id)}`);
}

async function ask<Answer>({ origin, token, fetch: send = fetch }: InboxOptions, path: string): Promise<Answer> {
  const response = await send(new URL(path, origin).href, { headers: { authorization: `Bearer ${token}` } });
  const answer: unknown = await response.json();
  if (response.ok) return answer as Answer;
  const { code, message } = (answer as { readonly error: { readonly code: string; readonly message: string } }).error;
  throw new LunoraError(code, message, { status: response.status });
}
