import type { PresenceServerFrame } from "@lunora/protocol";

/** Characters of members in one frame: far below the longest frame, whatever is in them. */
const LIST_LENGTH = 300_000;

/** Cuts a list into pieces that fit a frame each. */
function pieces<Item>(items: readonly Item[] = []): Item[][] {
  const result: Item[][] = [];
  let length = Infinity;
  for (const item of items) {
    const size = JSON.stringify(item).length;
    if (length + size > LIST_LENGTH) {
      result.push([]);
      length = 0;
    }
    result.at(-1)?.push(item);
    length += size;
  }
  return result;
}

/** A frame as texts, in several frames where its lists are long: members beyond the first piece come as ones who join. */
export function roomTexts(frame: PresenceServerFrame): string[] {
  return split(frame).map((part) => JSON.stringify(part));
}

function split(frame: PresenceServerFrame): PresenceServerFrame[] {
  if (frame.type === "error") return [frame];
  if (frame.type === "joined") {
    const [members = [], ...others] = pieces(frame.members);
    return [{ ...frame, members }, ...others.map((joined): PresenceServerFrame => ({ type: "presence", joined }))];
  }
  if (JSON.stringify(frame).length <= LIST_LENGTH) return [frame];
  return [
    ...pieces(frame.joined).map((joined): PresenceServerFrame => ({ type: "presence", joined })),
    ...pieces(frame.updated).map((updated): PresenceServerFrame => ({ type: "presence", updated })),
    ...pieces(frame.left).map((left): PresenceServerFrame => ({ type: "presence", left })),
  ];
}
