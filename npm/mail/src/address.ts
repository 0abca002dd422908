import { LunoraError } from "@lunora/errors";

import type { Mailbox } from "./message.ts";
import { headerText, invalidMail } from "./text.ts";

/** Longest address and longest part before the `@`, bytes, as SMTP has them. */
const ADDRESS_LENGTH = 254;
const LOCAL_LENGTH = 64;
const NAME_LENGTH = 200;

/** Words of the characters that need no quotes, between dots. Quoted local parts are refused: few servers take them. */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i;
/** `Name <address>`, the name in quotes or not. */
const NAMED = /^(?:"([^"\\]*)"|([^"<>,]*?)) *<([^<>]*)>$/;
/** What separates addresses, or an address from something else, where a header is read. */
const SEPARATOR = /[,;<>]/;

/**
 * One address, from a text or from an object.
 *
 * @param what how it is called in errors: `to`, `replyTo`, …
 * @throws LunoraError `MAIL_HEADER_INJECTION` or `MAIL_INVALID`.
 */
export function parseAddress(input: unknown, what: string): Mailbox {
  if (typeof input === "string") return fromText(headerText(input, `\`${what}\``, ADDRESS_LENGTH + NAME_LENGTH), what);
  if (typeof input !== "object" || input === null)
    throw invalidMail(`\`${what}\` is neither a text nor \`{address, name}\``);
  const { address, name } = input as { readonly address?: unknown; readonly name?: unknown };
  const checked = checkAddress(headerText(address, `\`${what}.address\``, ADDRESS_LENGTH), what);
  return named(checked, name === undefined ? "" : headerText(name, `\`${what}.name\``, NAME_LENGTH));
}

/** One or many; a text is always one. */
export function parseAddresses(input: unknown, what: string): Mailbox[] {
  if (input === undefined) return [];
  return (Array.isArray(input) ? input : [input]).map((one: unknown) => parseAddress(one, what));
}

function fromText(text: string, what: string): Mailbox {
  const match = NAMED.exec(text);
  if (match === null) return { address: checkAddress(text, what) };
  const [, quoted, plain, address = ""] = match;
  return named(checkAddress(address, what), quoted ?? plain ?? "");
}

function named(address: string, name: string): Mailbox {
  const trimmed = name.trim();
  return trimmed === "" ? { address } : { address, name: trimmed };
}

function checkAddress(address: string, what: string): string {
  if (SEPARATOR.test(address))
    throw new LunoraError(
      "MAIL_HEADER_INJECTION",
      `\`${what}\` holds a character that separates addresses: more than one recipient would read it`,
    );
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, Math.max(at, 0)), address.slice(at + 1)];
  if (at < 1 || local.length > LOCAL_LENGTH || address.length > ADDRESS_LENGTH || !LOCAL.test(local))
    throw invalidMail(
      `\`${what}\` is no address: before the \`@\` stand letters, digits and \`.!#$%&'*+/=?^_\`{|}~-\``,
    );
  const labels = domain.split(".");
  const isDomain = labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
  if (!isDomain || (labels.length === 1 && domain.toLowerCase() !== "localhost"))
    throw invalidMail(
      `\`${what}\` is no address: after the \`@\` stands a domain in ASCII (an international one as \`xn--…\`)`,
    );
  return address;
}

/** `Ada <ada@example.com>`, quoted where the name has a meaning in headers. */
export function formatAddress({ address, name }: Mailbox): string {
  if (name === undefined) return address;
  const isPlain = /^[\p{L}\p{N} !#$%&'*+/=?^_`{|}~-]+$/u.test(name);
  return `${isPlain ? name : `"${name.replaceAll(/["\\]/g, "\\$&")}"`} <${address}>`;
}
