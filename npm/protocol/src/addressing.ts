import { LunoraError } from "@lunora/errors";

import type { Address, FanOutMerge } from "./address.ts";
import { fromBase64Url, toBase64Url } from "./base64.ts";

/** The object that holds every table without a tier modifier. */
export const ROOT_OBJECT = "__root__";

/** Names that begin so are our own: no shard's name can. */
export const RESERVED_OBJECT_PREFIX = "__lunora_";

/** Longest shard value, in bytes of UTF-8. */
export const MAX_SHARD_VALUE_BYTES = 512;

/** Bytes of randomness in an id. */
export const ID_RANDOM_BYTES = 16;

const ID_RANDOM_FORM = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The one text of a shard value: strings and ids as they are, numbers as `String` writes them
 * (negative zero as `0`), bigints in decimal. Throws `BAD_REQUEST` for anything else, and for
 * values that are empty, longer than 512 bytes, not finite, or hold half a surrogate pair.
 */
export function shardValueText(value: unknown): string {
  if (typeof value === "bigint") return checkShardText(value.toString());
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw badShardValue(`\`${value}\` is not finite`);
    return String(value === 0 ? 0 : value);
  }
  if (typeof value !== "string")
    throw badShardValue(
      `a shard value is a string, an id, a number or a bigint, not ${value === null ? "null" : `a value of type \`${typeof value}\``}`,
    );
  return checkShardText(value);
}

function checkShardText(text: string): string {
  if (text === "") throw badShardValue("the empty string names no shard");
  if (LONE_SURROGATE.test(text)) throw badShardValue("half of a surrogate pair has no form in UTF-8");
  // Three bytes at most for each code unit: short texts need no counting.
  if (text.length * 3 > MAX_SHARD_VALUE_BYTES) {
    const { length } = encoder.encode(text);
    if (length > MAX_SHARD_VALUE_BYTES) {
      throw badShardValue(`a shard value has at most ${MAX_SHARD_VALUE_BYTES} bytes of UTF-8, this one has ${length}`);
    }
  }
  return text;
}

/** `<field>=<percent-encoded value>`: the name of the object that holds the shard. */
export function objectName(field: string, valueText: string): string {
  return `${field}=${encodeURIComponent(checkShardText(valueText))}`;
}

/**
 * An id: 22 characters of randomness, and for a row of a sharded table a dot and its shard.
 * `random` is {@link ID_RANDOM_BYTES} bytes.
 */
export function mintId(random: Uint8Array, shardValue?: string): string {
  if (random.length !== ID_RANDOM_BYTES)
    throw new RangeError(`An id takes ${ID_RANDOM_BYTES} random bytes, not ${random.length}`);
  return shardValue === undefined ? toBase64Url(random) : encodeIdShard(toBase64Url(random), shardValue);
}

/** 32-bit FNV-1a of the text's UTF-8. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Steps of this size visit every 32-bit number before one comes again. */
const DERIVATION_STEP = 0x9e3779b9;

/** Whether row ids are derived from the mutation id: 16 bytes in base64url. */
export function isDerivable(mutationId: string): boolean {
  return ID_RANDOM_FORM.test(mutationId);
}

/**
 * The id of the `n`th row (from 0) that a mutation inserts into the table, so that a client can
 * give its optimistic row the id that the server will. `mutationId` has to be {@link isDerivable};
 * its last 4 bytes are XORed with (hash of the table's name + n · step) mod 2^32, big-endian.
 */
export function deriveId(mutationId: string, table: string, n: number, shardValue?: string): string {
  const bytes = isDerivable(mutationId) ? fromBase64Url(mutationId) : undefined;
  if (bytes === undefined) throw new RangeError(`No id can be derived from \`${mutationId.slice(0, 64)}\``);
  const view = new DataView(bytes.buffer);
  const mask = (hashText(table) + Math.imul(n, DERIVATION_STEP)) >>> 0;
  view.setUint32(12, (view.getUint32(12) ^ mask) >>> 0);
  return mintId(bytes, shardValue);
}

/** Appends the shard to the random part of an id. */
export function encodeIdShard(random: string, shardValue: string): string {
  return `${random}.${toBase64Url(encoder.encode(checkShardText(shardValue)))}`;
}

/**
 * The shard value that an id carries; `null` for the id of a table that is not sharded. Throws
 * `BAD_REQUEST` when what follows the dot is not the base64url of a shard value.
 */
export function decodeIdShard(id: string): string | null {
  const dot = id.indexOf(".");
  if (dot === -1) return null;
  const bytes = fromBase64Url(id.slice(dot + 1));
  if (bytes === undefined) throw malformedId(id);
  try {
    return checkShardText(decoder.decode(bytes));
  } catch {
    throw malformedId(id);
  }
}

/** Whether the text has the form that {@link mintId} gives, of a sharded table or of another. */
export function hasIdForm(text: string, isSharded: boolean): boolean {
  const dot = text.indexOf(".");
  if (isSharded !== (dot !== -1)) return false;
  if (!ID_RANDOM_FORM.test(isSharded ? text.slice(0, dot) : text)) return false;
  try {
    decodeIdShard(text);
    return true;
  } catch {
    return false;
  }
}

/** Where a call goes. */
export type Target =
  | {
      readonly kind: "object";
      readonly name: string;
      /** The shard field; `null` for the root. */
      readonly field: string | null;
      /** The shard's value as text; `null` for the root. */
      readonly value: string | null;
    }
  | { readonly kind: "fanOut"; readonly field: string; readonly merge: FanOutMerge }
  | { readonly kind: "worker" };

const ROOT_TARGET: Target = { kind: "object", name: ROOT_OBJECT, field: null, value: null };

/**
 * Where a call with these (decoded) arguments goes. An explicit shard key is the bare value; it
 * must name the same shard, else `SHARD_MISMATCH`.
 */
export function resolveAddress(address: Address, args: Readonly<Record<string, unknown>>, shardKey?: string): Target {
  const target = targetOf(address, args);
  if (shardKey !== undefined) {
    const named = target.kind === "object" ? (target.value ?? ROOT_OBJECT) : undefined;
    if (named !== shardKey) {
      throw new LunoraError(
        "SHARD_MISMATCH",
        `\`shardKey\` is \`${shardKey}\`, but the function's address is ${named === undefined ? "no single shard" : `\`${named}\``}`,
        {
          hint: "Leave `shardKey` out: the reference carries the address.",
        },
      );
    }
  }
  return target;
}

function targetOf(address: Address, args: Readonly<Record<string, unknown>>): Target {
  switch (address.kind) {
    case "root":
      return ROOT_TARGET;
    case "argument":
      return shardTarget(address.field, shardValueText(argument(args, address.argument)));
    case "id":
      return shardTarget(address.field, shardOfId(argument(args, address.argument), address));
    case "fanOut":
      return { kind: "fanOut", field: address.field, merge: address.merge };
    case "worker":
      return { kind: "worker" };
  }
}

function shardTarget(field: string, value: string): Target {
  return { kind: "object", name: objectName(field, value), field, value };
}

function argument(args: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(args, name) ? args[name] : undefined;
  if (value === undefined)
    throw new LunoraError("BAD_REQUEST", `The argument \`${name}\` names the shard and is missing`);
  return value;
}

function shardOfId(id: unknown, address: { readonly argument: string; readonly table: string }): string {
  if (typeof id !== "string") throw new LunoraError("BAD_REQUEST", `The argument \`${address.argument}\` is not an id`);
  const shard = decodeIdShard(id);
  if (shard === null) {
    throw new LunoraError(
      "BAD_REQUEST",
      `The argument \`${address.argument}\` is not an id of \`${address.table}\`: it carries no shard`,
    );
  }
  return shard;
}

function badShardValue(why: string): LunoraError {
  return new LunoraError("BAD_REQUEST", `A shard cannot be named: ${why}`);
}

function malformedId(id: string): LunoraError {
  return new LunoraError("BAD_REQUEST", `\`${id.slice(0, 64)}\` is not an id: what follows the dot names no shard`);
}
