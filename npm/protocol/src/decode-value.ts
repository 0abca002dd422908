import { LunoraError } from "@lunora/errors";

import { fromBase64 } from "./base64.ts";
import { viewOf } from "./typed-arrays.ts";
import { ERROR_FIELDS, MAX_BIGINT_DIGITS, MAX_WIRE_DEPTH, setField, WIRE_TAG } from "./wire.ts";

/**
 * The value that parsed JSON stands for. What holds no tagged value comes back as the same
 * object. A kind that is not known here stays the plain array it is.
 *
 * Throws `WIRE_MALFORMED` for a known kind with a wrong payload, `WIRE_TOO_DEEP` beyond 64 levels.
 */
export function decodeValue(value: unknown): unknown {
  return decode(value, 0);
}

/** `depth` is the number of containers around the value; tagged scalars are none. */
function decode(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!Array.isArray(value)) return decodeFields(value as Record<string, unknown>, enter(depth));
  return value[0] === WIRE_TAG ? decodeTagged(value, depth) : decodeItems(value, enter(depth));
}

function enter(depth: number): number {
  if (depth >= MAX_WIRE_DEPTH) {
    throw new LunoraError(
      "WIRE_TOO_DEEP",
      `A value on the wire has at most ${MAX_WIRE_DEPTH} levels; this one has more`,
    );
  }
  return depth + 1;
}

function decodeItems(items: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const decoded = decode(item, depth);
    if (copy !== undefined) copy.push(decoded);
    else if (decoded !== item) copy = [...items.slice(0, index), decoded];
  }
  return copy ?? items;
}

function decodeFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  const keys = Object.keys(fields);
  for (let index = 0; index < keys.length; index++) {
    const field = fields[keys[index] as string];
    const decoded = decode(field, depth);
    if (decoded === field) continue;
    const copy: Record<string, unknown> = {};
    for (let before = 0; before < index; before++)
      setField(copy, keys[before] as string, fields[keys[before] as string]);
    if (decoded !== undefined) setField(copy, keys[index] as string, decoded);
    for (const key of keys.slice(index + 1)) {
      const rest = decode(fields[key], depth);
      if (rest !== undefined) setField(copy, key, rest);
    }
    return copy;
  }
  return fields;
}

function decodeTagged(tagged: readonly unknown[], depth: number): unknown {
  const [, kind, payload] = tagged;
  switch (kind) {
    case "undefined":
      return expectLength(tagged, 2, undefined);
    case "nan":
      return expectLength(tagged, 2, Number.NaN);
    case "inf":
      return expectLength(tagged, 2, Number.POSITIVE_INFINITY);
    case "-inf":
      return expectLength(tagged, 2, Number.NEGATIVE_INFINITY);
    case "bigint":
      return expectLength(tagged, 3, decodeBigint(payload));
    case "date":
      return expectLength(tagged, 3, decodeDate(payload));
    case "url":
      return expectLength(tagged, 3, decodeUrl(payload));
    case "arr":
      return expectLength(tagged, 3, decodeItems(arrayOf("arr", payload), enter(depth)));
    case "set":
      return expectLength(tagged, 3, new Set(decodeItems(arrayOf("set", payload), enter(depth))));
    case "map":
      return expectLength(tagged, 3, decodeMap(payload, enter(depth)));
    case "bytes":
      return decodeBytes(tagged);
    case "error":
      return decodeError(tagged, enter(depth));
    default:
      return decodeItems(tagged, enter(depth));
  }
}

function expectLength<Value>(tagged: readonly unknown[], length: number, value: Value): Value {
  if (tagged.length !== length)
    throw malformed(String(tagged[1]), `has ${tagged.length} elements instead of ${length}`);
  return value;
}

function arrayOf(kind: string, payload: unknown): readonly unknown[] {
  if (!Array.isArray(payload)) throw malformed(kind, "holds no array");
  return payload;
}

function decodeBigint(payload: unknown): bigint {
  // The length first: reading digits costs more than linear time.
  if (typeof payload !== "string" || payload.length > MAX_BIGINT_DIGITS + 1 || !/^-?[0-9]{1,1024}$/.test(payload)) {
    throw malformed("bigint", `is not a decimal of at most ${MAX_BIGINT_DIGITS} digits`);
  }
  return BigInt(payload);
}

const NON_FINITE: ReadonlySet<unknown> = new Set(["nan", "inf", "-inf"]);

function decodeDate(payload: unknown): Date {
  if (typeof payload === "number") return new Date(payload);
  // An invalid date: its time travels as a tagged number.
  if (Array.isArray(payload) && payload[0] === WIRE_TAG && payload.length === 2 && NON_FINITE.has(payload[1])) {
    return new Date(Number.NaN);
  }
  throw malformed("date", "holds no number");
}

function decodeUrl(payload: unknown): URL {
  if (typeof payload !== "string" || !URL.canParse(payload)) throw malformed("url", "is not an absolute URL");
  return new URL(payload);
}

function decodeMap(payload: unknown, depth: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const entry of arrayOf("map", payload)) {
    if (!Array.isArray(entry) || entry.length !== 2) throw malformed("map", "has an entry that is not a pair");
    map.set(decode(entry[0], depth), decode(entry[1], depth));
  }
  return map;
}

function decodeBytes(tagged: readonly unknown[]): ArrayBuffer | ArrayBufferView {
  const [, , payload, name] = tagged;
  if (tagged.length > 4) throw malformed("bytes", "has more than four elements");
  if (name !== undefined && name !== null && typeof name !== "string")
    throw malformed("bytes", "has a name that is not text");
  const bytes = typeof payload === "string" ? fromBase64(payload) : undefined;
  if (bytes === undefined) throw malformed("bytes", "is not padded base64");
  const view = viewOf(name ?? undefined, bytes);
  if (view === undefined) throw malformed("bytes", `is not a whole number of elements of \`${String(name)}\``);
  return view;
}

function decodeError(tagged: readonly unknown[], depth: number): Error {
  const [, , name, message, own, cause] = tagged;
  if (tagged.length < 5 || tagged.length > 6) throw malformed("error", "has neither five nor six elements");
  if (typeof name !== "string" || typeof message !== "string")
    throw malformed("error", "has a name or message that is not text");
  if (typeof own !== "object" || own === null || Array.isArray(own))
    throw malformed("error", "has no object of fields");
  const decodedCause = decode(cause, depth);
  const error = new Error(message, decodedCause === undefined ? undefined : { cause: decodedCause });
  Object.defineProperty(error, "name", { value: name, configurable: true, enumerable: false, writable: true });
  for (const [key, field] of Object.entries(own)) {
    const decoded = decode(field, depth);
    if (decoded !== undefined && !ERROR_FIELDS.has(key))
      setField(error as unknown as Record<string, unknown>, key, decoded);
  }
  return error;
}

function malformed(kind: string, why: string): LunoraError {
  return new LunoraError("WIRE_MALFORMED", `A wire value of kind \`${kind}\` ${why}`);
}
