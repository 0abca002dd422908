import { CodedError } from "@lunora/errors";

import { fromBase64 } from "./base64.ts";
import { viewOf } from "./typed-arrays.ts";
import { copyFields, enter, MAX_BIGINT_DIGITS, WIRE_TAG } from "./wire.ts";

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
    if (decoded !== field) return copyFields(fields, keys, index, decoded, decode, depth);
  }
  return fields;
}

function decodeTagged(tagged: readonly unknown[], depth: number): unknown {
  const [, kind, payload] = tagged;
  if (CONSTANTS.has(kind)) {
    expectForm(tagged, true, 2);
    return CONSTANTS.get(kind);
  }
  switch (kind) {
    case "bigint":
      // The length first: reading digits costs more than linear time.
      expectForm(tagged, isText(payload) && payload.length <= MAX_BIGINT_DIGITS + 1 && DECIMAL.test(payload));
      return BigInt(payload as string);
    case "date": {
      // The time of an invalid date is a tagged number, which has no payload of its own.
      const time = Array.isArray(payload) && payload.length === 2 ? decode(payload, depth) : payload;
      expectForm(tagged, typeof time === "number");
      return new Date(time as number);
    }
    case "url":
      expectForm(tagged, isText(payload) && URL.canParse(payload));
      return new URL(payload as string);
    case "arr":
      return decodeItems(listOf(tagged), enter(depth));
    case "set":
      return new Set(decodeItems(listOf(tagged), enter(depth)));
    case "map":
      return decodeMap(tagged, enter(depth));
    case "bytes":
      return decodeBytes(tagged);
    case "error":
      return decodeError(tagged, enter(depth));
    default:
      return decodeItems(tagged, enter(depth));
  }
}

const CONSTANTS: ReadonlyMap<unknown, number | undefined> = new Map([
  ["undefined", undefined],
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);
const DECIMAL = /^-?[0-9]{1,1024}$/;

/** Throws `WIRE_MALFORMED` unless the payload has the form of its kind and no more elements follow it than may. */
function expectForm(tagged: readonly unknown[], hasForm: boolean, most = 3): asserts hasForm {
  if (!hasForm || tagged.length > most)
    throw new CodedError("WIRE_MALFORMED", 400, `Not the form of a wire \`${String(tagged[1])}\``);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function listOf(tagged: readonly unknown[]): readonly unknown[] {
  const [, , payload] = tagged;
  expectForm(tagged, Array.isArray(payload));
  return payload as unknown[];
}

function decodeMap(tagged: readonly unknown[], depth: number): Map<unknown, unknown> {
  const entries = listOf(tagged).map((entry) => {
    expectForm(tagged, Array.isArray(entry) && entry.length === 2);
    return decodeItems(entry as unknown[], depth) as [unknown, unknown];
  });
  return new Map(entries);
}

function decodeBytes(tagged: readonly unknown[]): ArrayBuffer | ArrayBufferView {
  const [, , payload, name] = tagged;
  const bytes = isText(payload) && isText(name ?? "") ? fromBase64(payload) : undefined;
  const view = bytes && viewOf(name, bytes);
  expectForm(tagged, view !== undefined, 4);
  return view;
}

function decodeError(tagged: readonly unknown[], depth: number): Error {
  const [, , name, message, own, cause] = tagged;
  const hasForm = isText(name) && isText(message) && typeof own === "object" && own !== null && !Array.isArray(own);
  expectForm(tagged, hasForm, 6);
  // With a cause of its own, if only `undefined`, it takes none from the fields; not every host's errors have a stack of their own.
  const error = new Error(message as string, { cause: decode(cause, depth) });
  const { stack: _stack, ...fields } = decodeFields(own as Record<string, unknown>, depth);
  return Object.defineProperties(error, {
    ...Object.getOwnPropertyDescriptors(fields),
    ...Object.getOwnPropertyDescriptors(error),
    name: { value: name, configurable: true, writable: true },
  });
}
