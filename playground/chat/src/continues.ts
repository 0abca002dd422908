import type { Doc } from "../lunora/_generated/dataModel.js";

const CLOSE = 5 * 60 * 1000;

/** Does a message read as going on with the one before it? */
export function continues(previous: Doc<"messages"> | undefined, message: Doc<"messages">): boolean {
  return previous?.author === message.author && message._creationTime - previous._creationTime < CLOSE;
}
