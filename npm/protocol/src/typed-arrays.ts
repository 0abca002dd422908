import { toBase64 } from "./base64.ts";

interface Buffers {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
}

/** Names of typed arrays: what comes over the wire must not reach any other global. */
const VIEW = /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/;

/** The elements of a `bytes` value after its kind; `undefined` for a data view. */
export function textOfBytes(value: ArrayBuffer | ArrayBufferView): readonly string[] | undefined {
  if (!ArrayBuffer.isView(value)) return [toBase64(new Uint8Array(value)), "ArrayBuffer"];
  // That of the built-in also for subclasses such as Node's `Buffer`.
  const name = String((value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]);
  const text = toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (!VIEW.test(name)) return undefined;
  return name === "Uint8Array" ? [text] : [text, name];
}

/**
 * The bytes as the named type: plain bytes where the name is not known here, `undefined` where
 * the length is not a whole number of elements.
 */
export function viewOf(name: unknown, bytes: Uint8Array<ArrayBuffer>): ArrayBuffer | ArrayBufferView | undefined {
  if (name === "ArrayBuffer") return bytes.buffer;
  const View = VIEW.test(String(name)) && (globalThis as unknown as Record<string, Buffers | undefined>)[String(name)];
  if (!View) return bytes;
  return bytes.length % View.BYTES_PER_ELEMENT === 0 ? new View(bytes.buffer) : undefined;
}
