import { refusal } from "./refusal.ts";

/** Who asked. */
export interface Cause {
  readonly by: "user" | "chaos";
  readonly seed?: number;
  readonly step?: number;
}

/** What can be done to a shard. */
export type ShardFault =
  | { readonly fault: "dropSocket"; readonly socket: string }
  /** Frames of the next poke are lost behind the first of them, and then the socket. */
  | { readonly fault: "cutPoke"; readonly socket: string; readonly afterFrames: number }
  /** Two messages with news of rows change places. */
  | { readonly fault: "swapFrames"; readonly socket: string }
  | { readonly fault: "delayPokes"; readonly ms: number; readonly count: number }
  /** `to`: the oldest position that is kept; the newest unless given. */
  | { readonly fault: "trimLog"; readonly to: number | undefined }
  | { readonly fault: "evict" };

/** What can be done to the Worker: it does not reach objects of a jurisdiction. `null`: those that are in none. */
export interface WorkerFault {
  readonly fault: "failRegion";
  readonly region: string | null;
  readonly ms: number;
}

export type Fields = Readonly<Record<string, unknown>>;

/** How late pokes may be, and how long a region may fail, milliseconds. */
const LONGEST_DELAY = 30_000;
const LONGEST_OUTAGE = 60_000;

const MOST_POKES = 100;
const MOST_FRAMES = 1_000;

const OF_SHARDS = "`cutPoke`, `delayPokes`, `dropSocket`, `evict`, `swapFrames`, `trimLog`";

function refuse(message: string): never {
  throw refusal("BAD_REQUEST", message);
}

function wholeNumber(fields: Fields, name: string, least: number, most: number, otherwise?: number): number {
  const value = fields[name] ?? otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  return refuse(`\`${name}\` has to be a whole number from ${least} to ${most}`);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "" && value.length <= 1_024) return value;
  return refuse(`\`${name}\` has to be a text of 1 to 1024 characters`);
}

/** Who asks: `by`, a user unless it says otherwise. */
export function causeIn(fields: Fields): Cause {
  const by = fields["by"] ?? { kind: "user" };
  const { kind } = by as Fields;
  if (kind === "user") return { by: kind };
  if (kind !== "chaos") return refuse('`by` is `{kind: "user"}` or `{kind: "chaos", seed, step}`');
  const number = (name: string): number => wholeNumber(by as Fields, name, 0, Number.MAX_SAFE_INTEGER);
  return { by: kind, seed: number("seed"), step: number("step") };
}

/** What is asked of a shard. Throws `BAD_REQUEST`. */
export function shardFaultIn(fields: Fields): ShardFault {
  const { fault } = fields;
  switch (fault) {
    case "dropSocket":
    case "swapFrames":
      return { fault, socket: text(fields, "socket") };
    case "cutPoke":
      return {
        fault,
        socket: text(fields, "socket"),
        afterFrames: wholeNumber(fields, "afterFrames", 0, MOST_FRAMES, 0),
      };
    case "delayPokes":
      return {
        fault,
        ms: wholeNumber(fields, "ms", 1, LONGEST_DELAY),
        count: wholeNumber(fields, "count", 1, MOST_POKES, 1),
      };
    case "trimLog": {
      const isGiven = (fields["to"] ?? null) !== null;
      return { fault, to: isGiven ? wholeNumber(fields, "to", 0, Number.MAX_SAFE_INTEGER) : undefined };
    }
    case "evict":
      return { fault };
    case "failRegion":
      return refuse("`failRegion` is asked without `object`: it is about all of them");
    default:
      return refuse(`\`fault\` is one of ${OF_SHARDS}; or, without \`object\`, \`failRegion\``);
  }
}

/** What is asked of the Worker. Throws `BAD_REQUEST`. */
export function workerFaultIn(fields: Fields): WorkerFault {
  const { fault } = fields;
  if (fault !== "failRegion")
    return refuse(`without \`object\` \`fault\` is \`failRegion\`; with it, one of ${OF_SHARDS}`);
  const isGiven = (fields["region"] ?? null) !== null;
  return {
    fault,
    region: isGiven ? text(fields, "region") : null,
    ms: wholeNumber(fields, "ms", 0, LONGEST_OUTAGE),
  };
}
