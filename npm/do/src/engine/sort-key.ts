import type { SqlKey } from "./sql.ts";

/** Order of kinds in a column that holds several: absent first, then as numbered here. */
const RANK = { bigint: "1", number: "2", boolean: "3", text: "4", bytes: "5", structure: "6" } as const;

/** Digits of a bigint travel with their count, so that texts sort like the numbers they stand for. */
const LENGTH_DIGITS = 4;
const LARGEST_LENGTH = 10 ** LENGTH_DIGITS - 1;

/** A text that sorts, byte by byte, as the bigint does. */
export function bigintKey(value: bigint): string {
  if (value >= 0n) {
    const digits = value.toString();
    return `1${String(digits.length).padStart(LENGTH_DIGITS, "0")}${digits}`;
  }
  const digits = (-value).toString();
  const length = String(LARGEST_LENGTH - digits.length).padStart(LENGTH_DIGITS, "0");
  let complement = "";
  for (const digit of digits) complement += 9 - Number(digit);
  return `0${length}${complement}`;
}

/** Hexadecimal: a shorter text that is a prefix sorts first, as bytes do. */
export function bytesKey(value: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

const float = new DataView(new ArrayBuffer(8));

/** Sixteen hexadecimal digits that sort as the double does. */
export function numberKey(value: number): string {
  float.setFloat64(0, value === 0 ? 0 : value);
  let bits = float.getBigUint64(0);
  bits = bits >> 63n === 1n ? ~bits & 0xffff_ffff_ffff_ffffn : bits | (1n << 63n);
  return bits.toString(16).padStart(16, "0");
}

export function isBytes(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/**
 * The key of a value in a column that holds several kinds. `structure` says what stands for an
 * object or array.
 */
export function mixedKey(value: unknown, structure: (value: object) => string): SqlKey {
  switch (typeof value) {
    case "bigint":
      return RANK.bigint + bigintKey(value);
    case "number":
      return RANK.number + numberKey(value);
    case "boolean":
      return RANK.boolean + (value ? "1" : "0");
    case "string":
      return RANK.text + value;
    case "object":
      if (value === null) return null;
      return isBytes(value) ? RANK.bytes + bytesKey(value) : RANK.structure + structure(value);
    default:
      return null;
  }
}

/** UTF-16 puts surrogates below U+E000..U+FFFF; UTF-8, by which SQLite sorts, does not. */
function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    let a = left.charCodeAt(index);
    let b = right.charCodeAt(index);
    if (a === b) continue;
    if (a >= 0xd800 && b >= 0xd800) {
      a = a >= 0xe000 ? a - 0x800 : a + 0x2000;
      b = b >= 0xe000 ? b - 0x800 : b + 0x2000;
    }
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}

/** Compares two keys as SQLite does: absent, numbers, texts. */
export function compareKeys(left: SqlKey, right: SqlKey): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  if (typeof left === "number") return typeof right === "number" ? left - right : -1;
  return typeof right === "number" ? 1 : compareText(left, right);
}
