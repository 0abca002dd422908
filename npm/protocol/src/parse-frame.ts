import { LunoraError } from "@lunora/errors";

import { MAX_PUSH_ENTRIES } from "./frames.ts";
import type { ClientFrame } from "./frames.ts";
import { assertShallow } from "./json-depth.ts";

/** Longest id, name or topic in a frame, characters. */
const NAME_LENGTH = 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Most capabilities that are read. */
const MAX_CAPABILITIES = 64;

export type Fields = Readonly<Record<string, unknown>>;

/** What a field has to be, for the message when it is not. */
export interface Rule {
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
}

export const NAME: Rule = {
  wanted: `a string of 1 to ${NAME_LENGTH} characters, without half a surrogate pair`,
  // Names that differ in half a pair would be one name in UTF-8.
  accepts: (value) =>
    typeof value === "string" && value !== "" && value.length <= NAME_LENGTH && !LONE_SURROGATE.test(value),
};
export const OBJECT: Rule = {
  wanted: "an object",
  accepts: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};
const POSITION: Rule = {
  wanted: "an integer of at least 0",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const NAMES: Rule = {
  wanted: `an array of at most ${MAX_CAPABILITIES} strings`,
  accepts: (value) =>
    Array.isArray(value) && value.length <= MAX_CAPABILITIES && value.every((item) => typeof item === "string"),
};
const ENTRIES: Rule = {
  wanted: `an array of 1 to ${MAX_PUSH_ENTRIES} entries`,
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.length <= MAX_PUSH_ENTRIES,
};
export const ANYTHING: Rule = { wanted: "a value", accepts: (value) => value !== undefined };

type Rules = Readonly<Record<string, Rule>>;

/** A check for each type of frame. */
export type FrameChecks<Type extends string> = Readonly<Record<Type, (frame: Fields) => void>>;

function refuse(message: string): never {
  throw new LunoraError("FRAME_MALFORMED", message);
}

/** `fields` have to be there; `optional` may be left out, which `null` is not. */
export function check(value: unknown, place: string, fields: Rules, optional: Rules = {}): void {
  if (!OBJECT.accepts(value)) refuse(`\`${place}\` has to be an object`);
  const given = value as Fields;
  for (const name in fields) {
    const { accepts, wanted } = fields[name] as Rule;
    if (!Object.hasOwn(given, name) || !accepts(given[name])) refuse(`\`${place}.${name}\` has to be ${wanted}`);
  }
  for (const name in optional) {
    const { accepts, wanted } = optional[name] as Rule;
    if (Object.hasOwn(given, name) && !accepts(given[name]))
      refuse(`\`${place}.${name}\`, when it is there, has to be ${wanted}`);
  }
}

const ENTRY: Rules = { clientSeq: ANYTHING, functionPath: NAME, args: OBJECT };
const ENTRY_OPTIONAL: Rules = { mutationId: NAME };

const CHECKS: FrameChecks<ClientFrame["type"]> = {
  connect: (frame) => check(frame, "connect", { id: NAME }, { clientId: NAME, caps: NAMES }),
  subscribe: (frame) => {
    check(frame, "subscribe", { id: NAME, query: OBJECT });
    check(
      frame["query"],
      "subscribe.query",
      { functionPath: NAME, args: OBJECT },
      { table: NAME, sinceSeq: POSITION, sinceEpoch: NAME, sinceVersion: NAME },
    );
  },
  unsubscribe: (frame) => check(frame, "unsubscribe", { id: NAME }),
  shape_subscribe: (frame) => {
    check(
      frame,
      "shape_subscribe",
      { id: NAME, shape: OBJECT },
      { sinceCheckpoint: POSITION, sinceEpoch: NAME, sinceVersion: NAME },
    );
    check(frame["shape"], "shape_subscribe.shape", { name: NAME }, { args: OBJECT });
  },
  shape_unsubscribe: (frame) => check(frame, "shape_unsubscribe", { id: NAME }),
  push: (frame) => {
    check(frame, "push", { id: NAME, clientId: NAME, entries: ENTRIES }, { received: POSITION });
    // A wrong `clientSeq` is answered in its entry's slot: the other entries are none the worse for it.
    for (const entry of frame["entries"] as unknown[]) check(entry, "push.entries[]", ENTRY, ENTRY_OPTIONAL);
  },
  stream: (frame) => {
    check(frame, "stream", { id: NAME, query: OBJECT }, { sinceChunk: POSITION, generation: NAME, replaces: NAME });
    check(frame["query"], "stream.query", { functionPath: NAME, args: OBJECT });
  },
  whisper_subscribe: (frame) => check(frame, "whisper_subscribe", { topic: NAME }),
  whisper_unsubscribe: (frame) => check(frame, "whisper_unsubscribe", { topic: NAME }),
  whisper: (frame) => check(frame, "whisper", { topic: NAME }),
};

/**
 * Reads a frame of a client. Fields that are not known are ignored. Values inside `args`, `context`
 * and `data` are left as they are on the wire. Throws `FRAME_MALFORMED`, and `WIRE_TOO_DEEP`.
 */
export function parseFrame(text: string): ClientFrame {
  return readFrame(text, CHECKS) as unknown as ClientFrame;
}

/** A frame of one of the types that there are checks for. */
export function readFrame(text: string, checks: FrameChecks<string>): Fields {
  assertShallow(text, "the frame");
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    refuse("the frame is not JSON");
  }
  if (!OBJECT.accepts(frame)) refuse("a frame has to be an object");
  const { type } = frame as Fields;
  if (typeof type !== "string" || !Object.hasOwn(checks, type))
    refuse(typeof type === "string" ? `\`${type.slice(0, 64)}\` is not a frame of a client` : "a frame has no `type`");
  checks[type]?.(frame as Fields);
  return frame as Fields;
}
