/** Characters of one value. */
const LENGTH = 200;

function cut(text: string): string {
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text;
}

function bytesText(value: ArrayBuffer): string {
  const digits = Array.from(new Uint8Array(value, 0, Math.min(value.byteLength, LENGTH / 2)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return `x'${digits.join("")}'${value.byteLength > LENGTH / 2 ? "…" : ""}`;
}

/** A value for reading: as JSON, bigints with their `n`, bytes in hexadecimal. */
export function valueText(value: unknown): string {
  if (typeof value === "bigint") return cut(`${value}n`);
  if (value instanceof ArrayBuffer) return bytesText(value);
  if (ArrayBuffer.isView(value))
    return bytesText(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength) as ArrayBuffer);
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part)) as
    | string
    | undefined;
  return cut(text ?? String(value));
}
