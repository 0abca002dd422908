import { LunoraError } from "@lunora/errors";
import { MAX_BATCH_CALLS } from "@lunora/protocol";

/** One call, checked. */
export interface CheckedCall {
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly shardKey?: string;
  readonly mutationId?: string;
  readonly clientId?: string;
  /** The place in the client's sequence; unchecked. */
  readonly clientSeq?: unknown;
}

/** One call of a batch, or why it is none. */
export interface CheckedSlot {
  readonly id: string;
  readonly call: CheckedCall | LunoraError;
}

/** Longest path, key or id that a caller may name, characters. */
const NAME_LENGTH = 1024;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(message: string): never {
  throw new LunoraError("BAD_REQUEST", message);
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}

/** Names that differ in half a pair would be one name in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text of a bounded length. */
export function checkName(value: unknown, name: string): string {
  if (typeof value !== "string") refuse(`\`${name}\` has to be a string, and is ${describe(value)}`);
  if (value === "" || value.length > NAME_LENGTH) refuse(`\`${name}\` has to have from 1 to ${NAME_LENGTH} characters`);
  if (LONE_SURROGATE.test(value)) refuse(`\`${name}\` has half a surrogate pair`);
  return value;
}

/** `null` counts as absent only for headers. */
function optionalName(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : checkName(value, name);
}

/** Checks the form of one call; whether the function exists is asked later. */
export function checkCall(value: unknown): CheckedCall {
  if (!isRecord(value)) refuse(`a call has to be an object, and is ${describe(value)}`);
  const functionPath = checkName(value["functionPath"], "functionPath");
  const args = value["args"] ?? {};
  if (value["args"] === null || !isRecord(args))
    refuse(`\`args\` has to be an object, and is ${describe(value["args"])}`);
  const shardKey = optionalName(value["shardKey"], "shardKey");
  const mutationId = optionalName(value["mutationId"], "mutationId");
  const clientId = optionalName(value["clientId"], "clientId");
  return {
    functionPath,
    args,
    ...(shardKey === undefined ? {} : { shardKey }),
    ...(mutationId === undefined ? {} : { mutationId }),
    ...(clientId === undefined ? {} : { clientId }),
  };
}

/** Checks a batch. A call of a wrong form fails alone, in its slot. */
export function checkBatch(value: unknown): CheckedSlot[] {
  if (!isRecord(value) || !Array.isArray(value["calls"])) refuse("a batch has to be `{ calls: [ … ] }`");
  const { calls } = value as { calls: unknown[] };
  if (calls.length > MAX_BATCH_CALLS) {
    throw new LunoraError(
      "BATCH_LIMIT_EXCEEDED",
      `the batch has ${calls.length} calls; the most is ${MAX_BATCH_CALLS}`,
      {
        data: { limit: MAX_BATCH_CALLS },
      },
    );
  }
  return calls.map((call, index) => {
    const given = isRecord(call) ? call["id"] : undefined;
    const id = typeof given === "string" ? given : String(index);
    try {
      if (given !== undefined && typeof given !== "string")
        refuse(`\`id\` has to be a string, and is ${describe(given)}`);
      return { id, call: checkCall(call) };
    } catch (error) {
      if (error instanceof LunoraError) return { id, call: error };
      throw error;
    }
  });
}
