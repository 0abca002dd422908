import { LunoraError } from "@lunora/errors";

import type { CapturedMail } from "./inbox.ts";

/** A link in plain text: up to a space or what quotes it, without the point that ends the sentence. */
const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/**
 * The first link of a mail, or the first that matches.
 *
 * @param options.match a part of the link, or a pattern
 * @throws LunoraError `MAIL_NOT_FOUND` without such a link.
 */
export function extractLink(
  mail: Pick<CapturedMail, "links" | "text">,
  options: { readonly match?: string | RegExp } = {},
): string {
  const { match } = options;
  const links = [...mail.links, ...(mail.text?.match(LINK) ?? [])];
  const found = links.find((link) =>
    match instanceof RegExp ? link.search(match) >= 0 : match === undefined || link.includes(match),
  );
  if (found !== undefined) return found;
  throw new LunoraError(
    "MAIL_NOT_FOUND",
    `no link of the mail matches${match === undefined ? "" : ` \`${match}\``}; it has ${links.length === 0 ? "none" : links.join(", ")}`,
  );
}
