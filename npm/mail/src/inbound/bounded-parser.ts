import PostalMime from "postal-mime";
import type { Email } from "postal-mime";

/** How much of a mail is read. */
export interface InboundLimits {
  /** Of the raw mail. */
  readonly bytes: number;
  /** Of the raw mail: each costs the parser a step. */
  readonly lines: number;
  /** Parts, also those that hold others. */
  readonly parts: number;
  /** How deep parts lie in parts. */
  readonly depth: number;
  /** Of all headers of all parts together. */
  readonly headerBytes: number;
}

export const INBOUND_LIMITS: InboundLimits = {
  bytes: 25_000_000,
  lines: 500_000,
  parts: 1_000,
  depth: 32,
  headerBytes: 256 * 1024,
};

/** As much of the parser's inside as is watched. The version is pinned; a test holds that the watch still works. */
interface Steps {
  /** The part that the next line belongs to. */
  readonly currentNode: object;
  processLine(line: Uint8Array, isFinal: boolean): Promise<void>;
}

/** More parts than are read. */
export class TooManyParts extends Error {}

/**
 * Reads a mail. The parser has limits for depth and headers, and none for the number of parts: 25 MB hold a million
 * empty ones, each an object. So its steps are watched for parts that were not there before.
 *
 * @throws TooManyParts, or whatever the parser throws.
 */
export async function parseBounded(mail: Uint8Array, { parts, depth, headerBytes }: InboundLimits): Promise<Email> {
  // Mails in mails stay files: as parts they would be read by further parsers that nobody watches.
  const parser = new PostalMime({
    maxNestingDepth: depth,
    maxHeadersSize: headerBytes,
    forceRfc822Attachments: true,
  }) as PostalMime & Steps;
  const step = parser.processLine.bind(parser);
  const seen = new WeakSet<object>([parser.currentNode]);
  let count = 1;
  parser.processLine = async (line, isFinal) => {
    await step(line, isFinal);
    if (seen.has(parser.currentNode)) return;
    seen.add(parser.currentNode);
    count += 1;
    if (count > parts) throw new TooManyParts();
  };
  return parser.parse(mail);
}
