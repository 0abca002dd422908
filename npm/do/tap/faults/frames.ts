/** Frames by which a socket hears of rows: what a commit sends, and what answers a subscription. */
const NEWS: ReadonlySet<unknown> = new Set(["data", "delta", "pokeStart", "pokePart", "pokeEnd"]);

function frames(message: string): readonly { readonly type: unknown }[] {
  const frame = JSON.parse(message) as {
    readonly type: unknown;
    readonly frames: readonly { readonly type: unknown }[];
  };
  return frame.type === "batch" ? frame.frames : [frame];
}

/** Whether a message tells of rows: is a poke, or a part of one. */
export function isNews(message: string): boolean {
  return frames(message).some(({ type }) => NEWS.has(type));
}

/** Each frame as a message of its own. */
export function apart(messages: readonly string[]): string[] {
  return messages.flatMap((message) => frames(message).map((frame) => JSON.stringify(frame)));
}
