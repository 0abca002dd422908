import { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
import { formatPath } from "@lunora/values";

import type { Table } from "./table.ts";

/** A row as handlers see it. */
export interface Document {
  readonly _id: string;
  readonly _creationTime: number;
  readonly [field: string]: unknown;
}

/** The columns of a row, without `_id` and `_creationTime`. */
export type Fields = Record<string, unknown>;

/** A row as SQLite holds it. */
export interface StoredRow {
  readonly id: string;
  readonly creationTime: number;
  /** Wire JSON of the columns. */
  readonly doc: string;
  /** JSON of the projections; `null` when the row has none. */
  readonly keys: string | null;
}

/** Largest row, bytes: what the platform takes. Local SQLite takes more and would hide the fault until deployment. */
export const ROW_BYTES = 2_000_000;

const WIRE_MARK = "$lunora.wire$";

const encoder = new TextEncoder();

type PathPart = string | number;

function refuseText(path: readonly PathPart[]): never {
  throw new LunoraError(
    "INVALID_TEXT",
    `\`${formatPath([...path])}\` has a lone surrogate: half a character, which neither SQLite nor JSON can hold`,
    { data: { path: [...path] } },
  );
}

/** The value as it can be stored: negative zero becomes zero; text that is not Unicode is refused. */
function storable(value: unknown, path: PathPart[]): unknown {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : refuseText(path);
    case "number":
      return value === 0 ? 0 : value;
    case "object":
      return value === null ? null : storableObject(value, path);
    default:
      return value;
  }
}

function storableObject(value: object, path: PathPart[]): unknown {
  // The codec refuses what is deeper and names the limit.
  if (path.length > 80) return value;
  if (Array.isArray(value)) return value.map((item, index) => storable(item, [...path, index]));
  if (value instanceof Map) {
    return new Map(
      [...value].map(([key, item], index) => [storable(key, [...path, index]), storable(item, [...path, index])]),
    );
  }
  if (value instanceof Set) return new Set([...value].map((item, index) => storable(item, [...path, index])));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Fields = {};
  for (const [key, item] of Object.entries(value)) {
    if (!key.isWellFormed()) refuseText([...path, key.toWellFormed()]);
    // Defined, not assigned: `__proto__` is data.
    Object.defineProperty(copy, key, {
      value: storable(item, [...path, key]),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy;
}

/** Whether `storable` would come to the same. */
function isStorable(fields: Fields): boolean {
  for (const key in fields) {
    const value = fields[key];
    switch (typeof value) {
      case "string":
        if (!value.isWellFormed()) return false;
        break;
      case "number":
        if (Object.is(value, -0)) return false;
        break;
      case "object":
        if (value !== null) return false;
        break;
      default:
    }
    if (!key.isWellFormed()) return false;
  }
  return true;
}

function projections(table: Table, fields: Fields): string | null {
  if (table.projected.length === 0) return null;
  const keys: Record<string, string | number> = {};
  let found = false;
  for (const column of table.projected) {
    const key = column.keyOf(fields[column.field]);
    if (key === null) continue;
    keys[column.field] = key;
    found = true;
  }
  return found ? JSON.stringify(keys) : null;
}

function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

/** The row in its stored form. Throws coded errors for what cannot be stored. */
export function encodeRow(table: Table, id: string, creationTime: number, fields: Fields): StoredRow {
  const clean = isStorable(fields) ? fields : (storable(fields, []) as Fields);
  const doc = JSON.stringify(encodeValue(clean));
  const keys = projections(table, clean);
  // A UTF-16 unit is at most three bytes of UTF-8, so short rows need no count.
  if ((doc.length + (keys?.length ?? 0)) * 3 > ROW_BYTES) {
    const size = byteLength(doc) + (keys === null ? 0 : byteLength(keys)) + id.length;
    if (size > ROW_BYTES) {
      throw new LunoraError(
        "ROW_TOO_LARGE",
        `a row of \`${table.name}\` has ${size} bytes; the largest is ${ROW_BYTES}`,
        {
          data: { table: table.name, size, limit: ROW_BYTES },
        },
      );
    }
  }
  return { id, creationTime, doc, keys };
}

/** Everything stored in the row, columns that the schema no longer has included. */
export function decodeFields(doc: string): Fields {
  const parsed: unknown = JSON.parse(doc);
  return (doc.includes(WIRE_MARK) ? decodeValue(parsed) : parsed) as Fields;
}

/** The row as handlers see it: only columns of the schema. */
export function decodeRow(table: Table, row: StoredRow): Document {
  const fields = decodeFields(row.doc);
  for (const field in fields) {
    if (!table.columns.has(field)) delete fields[field];
  }
  return { _id: row.id, _creationTime: row.creationTime, ...fields };
}

/** The projections that a stored document should have. */
export function projectAgain(table: Table, doc: string): string | null {
  return projections(table, decodeFields(doc));
}
