import { CodedError } from "@lunora/errors";

import { textOfBytes } from "./typed-arrays.ts";
import { copyFields, enter, MAX_BIGINT_DIGITS, WIRE_TAG } from "./wire.ts";

/**
 * A value as JSON can hold it. What is plain JSON already comes back as the same object, so the
 * common case allocates nothing. `undefined` in an object is dropped, as JSON does; alone it stays.
 *
 * Throws `WIRE_VALUE_UNSUPPORTED` for functions, symbols and class instances, `WIRE_TOO_DEEP`
 * beyond 64 levels (a cycle too).
 */
export function encodeValue(value: unknown): unknown {
  return encode(value, 0);
}

function encode(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return Number.isFinite(value) ? value : encodeNonFinite(value);
    case "bigint":
      return encodeBigint(value);
    case "object":
      return value === null ? null : encodeObject(value, depth);
    default:
      throw unsupported(`a ${typeof value}`);
  }
}

function encodeNonFinite(value: number): unknown {
  return [WIRE_TAG, value > 0 ? "inf" : value < 0 ? "-inf" : "nan"];
}

function encodeBigint(value: bigint): unknown {
  const text = value.toString();
  if (text.length - (value < 0n ? 1 : 0) > MAX_BIGINT_DIGITS) {
    throw unsupported(`a bigint of more than ${MAX_BIGINT_DIGITS} digits`);
  }
  return [WIRE_TAG, "bigint", text];
}

/** `depth` is the number of containers around the value; only containers count. */
function encodeObject(value: object, depth: number): unknown {
  if (Array.isArray(value)) {
    const items = encodeItems(value, enter(depth));
    return value[0] === WIRE_TAG ? [WIRE_TAG, "arr", items] : items;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return encodeFields(value as Record<string, unknown>, enter(depth));
  return encodeInstance(value, depth);
}

/** Copies only from the first item on that does not stand for itself. */
function encodeItems(items: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const encoded = item === undefined ? [WIRE_TAG, "undefined"] : encode(item, depth);
    if (copy !== undefined) copy.push(encoded);
    else if (encoded !== item) copy = [...items.slice(0, index), encoded];
  }
  return copy ?? items;
}

function encodeFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  const keys = Object.keys(fields);
  for (let index = 0; index < keys.length; index++) {
    const field = fields[keys[index] as string];
    const encoded = field === undefined ? undefined : encode(field, depth);
    if (field === undefined || encoded !== field) return copyFields(fields, keys, index, encoded, encode, depth);
  }
  return fields;
}

function encodeInstance(value: object, depth: number): unknown {
  if (value instanceof Date) return [WIRE_TAG, "date", encode(value.getTime(), depth)];
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const bytes = textOfBytes(value);
    if (bytes) return [WIRE_TAG, "bytes", ...bytes];
  }
  if (value instanceof URL) return [WIRE_TAG, "url", value.href];
  const inner = enter(depth);
  if (value instanceof Map) return [WIRE_TAG, "map", Array.from(value, (entry) => encodeItems(entry, inner))];
  if (value instanceof Set) return [WIRE_TAG, "set", encodeItems([...value], inner)];
  if (value instanceof Error) return encodeError(value, inner);
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: unknown } };
  const name = prototype.constructor?.name;
  // A plain object of another realm: its prototype is the end of the chain too and is called `Object`.
  if (name === "Object" && Object.getPrototypeOf(prototype) === null)
    return encodeFields(value as Record<string, unknown>, inner);
  throw unsupported(`an instance of \`${String(name)}\``);
}

/** Name, message and own fields; never the stack, which tells the peer about this machine. */
function encodeError(error: Error, depth: number): unknown {
  const { name, message, stack: _stack, cause, ...own } = error;
  const encoded = [WIRE_TAG, "error", String(name), String(message), encodeFields(own, depth)];
  return cause === undefined ? encoded : [...encoded, encode(cause, depth)];
}

function unsupported(what: string): CodedError {
  return new CodedError("WIRE_VALUE_UNSUPPORTED", 400, `Only plain data can travel, not ${what}`);
}
