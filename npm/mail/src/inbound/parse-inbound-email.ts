import { LunoraError } from "@lunora/errors";
import type { Address, Attachment, Email } from "postal-mime";

import { authenticationOf } from "./authentication.ts";
import { INBOUND_LIMITS, parseBounded, TooManyParts } from "./bounded-parser.ts";
import type { InboundLimits } from "./bounded-parser.ts";
import type { ParsedAddress, ParsedAttachment, ParsedEmail } from "./parsed-email.ts";
import { readRaw } from "./read-raw.ts";
import type { RawMail } from "./read-raw.ts";

const LINE_FEED = 0x0a;
const HEADER = /^[!-9;-~]+[ \t]*:/;

/**
 * Reads a raw mail. Nothing in it is to be trusted: `from` is what the sender wrote.
 *
 * @throws LunoraError `MAIL_UNREADABLE` beyond the limits, or where there is no mail.
 */
export async function parseInboundEmail(raw: RawMail, limits: InboundLimits = INBOUND_LIMITS): Promise<ParsedEmail> {
  const bytes = await readRaw(raw, limits.bytes);
  const lines = countLines(bytes, limits.lines);
  if (lines > limits.lines) throw unreadable(`has more than ${limits.lines} lines`);
  let email: Email;
  try {
    email = await parseBounded(bytes, limits);
  } catch (cause) {
    if (cause instanceof TooManyParts) throw unreadable(`has more than ${limits.parts} parts`);
    // The parser's texts name its limits and nothing of the mail.
    throw unreadable(`cannot be read: ${cause instanceof Error ? cause.message : "unknown"}`, cause);
  }
  // The parser takes any first lines for headers.
  if (!email.headerLines.some(({ line }) => HEADER.test(line))) throw unreadable("has no headers: it is no mail");
  return toParsed(email);
}

function unreadable(what: string, cause?: unknown): LunoraError {
  return new LunoraError("MAIL_UNREADABLE", `the mail ${what}`, { cause });
}

/** Stops counting above the limit. */
function countLines(bytes: Uint8Array, limit: number): number {
  let lines = 1;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0 && lines <= limit; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

function toParsed(email: Email): ParsedEmail {
  const { subject, messageId, inReplyTo, date, text, html } = email;
  const [from] = flat(email.from === undefined ? [] : [email.from]);
  const headers = email.headers.map(({ key, value }) => [key, value] as const);
  return {
    ...(from === undefined ? {} : { from }),
    to: flat(email.to),
    cc: flat(email.cc),
    replyTo: flat(email.replyTo),
    ...(subject === undefined ? {} : { subject }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    references: email.references?.match(/<[^<>\s]+>/g) ?? [],
    ...(date === undefined ? {} : { date }),
    headers,
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    attachments: email.attachments.map(toAttachment),
    authentication: authenticationOf(headers),
  };
}

/** Groups give their members. */
function flat(addresses: readonly Address[] = []): ParsedAddress[] {
  return addresses
    .flatMap((entry) => entry.group ?? [entry])
    .map(({ address, name }) => (name === "" ? { address } : { address, name }));
}

function toAttachment({ filename, mimeType, disposition, contentId, content }: Attachment): ParsedAttachment {
  return {
    filename,
    contentType: mimeType,
    disposition,
    ...(contentId === undefined ? {} : { contentId: contentId.replace(/^<|>$/g, "") }),
    content: typeof content === "string" ? bufferOf(new TextEncoder().encode(content)) : bufferOf(content),
  };
}

/** Exactly the bytes, never a larger buffer around them. */
function bufferOf(content: ArrayBuffer | Uint8Array): ArrayBuffer {
  if (content instanceof ArrayBuffer) return content;
  return content.slice().buffer as ArrayBuffer;
}
