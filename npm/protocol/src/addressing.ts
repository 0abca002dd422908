import { CodedError } from "@lunora/errors";

import type { Address, FanOutMerge } from "./address.ts";
import { fromBase64Url, toBase64Url, utf8 } from "./base64.ts";

/** The object that holds every table without a tier modifier. */
export const ROOT_OBJECT = "__root__";

/** Names that begin so are our own: no shard's name can. */
export const RESERVED_OBJECT_PREFIX = "__lunora_";

/** Longest shard value, in bytes of UTF-8. */
export const MAX_SHARD_VALUE_BYTES = 512;

/** Bytes of randomness in an id. */
export const ID_RANDOM_BYTES = 16;
/** The same in base64url. */
const ID_RANDOM_CHARACTERS = 22;

const ID_RANDOM_FORM = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The one text of a shard value: strings and ids as they are, numbers as `String` writes them
 * (negative zero as `0`), bigints in decimal. Throws `BAD_REQUEST` for anything else, and for
 * values that are empty, longer than 512 bytes, not finite, or hold half a surrogate pair; `what`
 * says in the message what it was.
 */
export function shardValueText(value: unknown, what?: string): string {
  return checkShardText(typeof value === "bigint" || Number.isFinite(value) ? String(value) : value, what);
}

function checkShardText(text: unknown, what = "A shard's value"): string {
  if (
    typeof text === "string" &&
    text !== "" &&
    !LONE_SURROGATE.test(text) &&
    // Three bytes at most for each code unit: short texts need no counting.
    (text.length * 3 <= MAX_SHARD_VALUE_BYTES || utf8(text).length <= MAX_SHARD_VALUE_BYTES)
  )
    return text;
  throw badRequest(
    `${what} has to be text of 1 to ${MAX_SHARD_VALUE_BYTES} bytes or a finite number, not this ${text === null ? text : typeof text}`,
  );
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
  return idOf(toBase64Url(random), shardValue);
}

function idOf(random: string, shardValue: string | undefined): string {
  if (random.length !== ID_RANDOM_CHARACTERS)
    throw new RangeError(`An id has ${ID_RANDOM_CHARACTERS} characters, not ${random.length}`);
  return shardValue === undefined ? random : encodeIdShard(random, shardValue);
}

/** FNV-1a of the text's UTF-8, 32 bits with a sign, from another start when one is given. */
export function hashText(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (const byte of utf8(text)) hash = Math.imul(hash ^ byte, 0x01000193);
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
  // The last 4 bytes have the last 6 characters to themselves.
  const view = new DataView((fromBase64Url(mutationId.slice(16)) ?? new Uint8Array()).buffer);
  // Writing takes it modulo 2^32.
  view.setUint32(0, view.getUint32(0) ^ (hashText(table) + Math.imul(n, DERIVATION_STEP)));
  return idOf(mutationId.slice(0, 16) + toBase64Url(new Uint8Array(view.buffer)), shardValue);
}

/** Appends the shard to the random part of an id. */
export function encodeIdShard(random: string, shardValue: string): string {
  return `${random}.${toBase64Url(utf8(checkShardText(shardValue)))}`;
}

/**
 * The shard value that an id carries; `null` for the id of a table that is not sharded. Throws
 * `BAD_REQUEST` when what follows the dot is not the base64url of a shard value.
 */
export function decodeIdShard(id: string): string | null {
  const dot = id.indexOf(".");
  if (dot === -1) return null;
  try {
    // What is not base64url becomes the empty text, which names no shard.
    return checkShardText(decoder.decode(fromBase64Url(id.slice(dot + 1))));
  } catch {
    throw badRequest(`\`${id.slice(0, 64)}\` is no id with a shard in it`);
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

type Arguments = Readonly<Record<string, unknown>>;

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

/**
 * Where a call with these (decoded) arguments goes. An explicit shard key is the bare value; it
 * must name the same shard, else `SHARD_MISMATCH`.
 */
export function resolveAddress(address: Address, args: Arguments, shardKey?: string): Target {
  const value = valueOf(address, args, shardKey);
  if (address.kind === "fanOut") return { kind: "fanOut", field: address.field, merge: address.merge };
  if (value === undefined) return { kind: "worker" };
  const field = "field" in address ? address.field : null;
  return { kind: "object", name: nameOf(address, value), field, value };
}

/** The name of the object in the target; `undefined` when the call goes to many or to none. */
export function objectOf(address: Address, args: Arguments, shardKey?: string): string | undefined {
  const value = valueOf(address, args, shardKey);
  return value === undefined ? value : nameOf(address, value);
}

function nameOf(address: Address, value: string | null): string {
  return "field" in address ? objectName(address.field, value as string) : ROOT_OBJECT;
}

/** The text of the shard's value; `null` for the root, `undefined` when there is no single shard. */
function valueOf(address: Address, args: Arguments, shardKey: string | undefined): string | null | undefined {
  const value = "argument" in address ? shardOf(address, args) : address.kind === "root" ? null : undefined;
  if (shardKey === undefined || shardKey === (value === null ? ROOT_OBJECT : value)) return value;
  throw new CodedError(
    "SHARD_MISMATCH",
    400,
    `\`shardKey\` is \`${shardKey}\`, and the address \`${value ?? address.kind}\``,
  );
}

/** The text of the shard that an argument names. */
function shardOf(address: Extract<Address, { readonly argument: string }>, args: Arguments): string {
  const { kind, argument } = address;
  // What any object has is neither text nor a number.
  const value = args[argument];
  if (kind === "argument") return shardValueText(value, `The argument \`${argument}\``);
  const shard = typeof value === "string" ? decodeIdShard(value) : null;
  if (shard !== null) return shard;
  throw badRequest(`The argument \`${argument}\` is no id of \`${address.table}\` with a shard in it`);
}

function badRequest(message: string): CodedError {
  return new CodedError("BAD_REQUEST", 400, message);
}
