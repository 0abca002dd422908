import { toBase64 } from "./base64.ts";

interface Buffers {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
}

/** Names of typed arrays: what comes over the wire must not reach any other global. */
const BUFFER = "ArrayBuffer";
const VIEW = /^((Big)?(Int|Uint|Float)\d+(Clamped)?Array|ArrayBuffer)$/;

/** The elements of a `bytes` value after its kind; `undefined` for a data view. */
export function textOfBytes(value: ArrayBuffer | ArrayBufferView): readonly string[] | undefined {
  // That of the built-in also for subclasses such as Node's `Buffer`.
  const name = String((value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]);
  if (!VIEW.test(name)) return undefined;
  // A buffer has no offset, and begins at 0.
  const view = value as ArrayBufferView<ArrayBuffer>;
  const text = toBase64(new Uint8Array(view.buffer ?? value, view.byteOffset, view.byteLength));
  return name === "Uint8Array" ? [text] : [text, name];
}

/**
 * The bytes as the named type: plain bytes where the name is not known here, `undefined` where
 * the length is not a whole number of elements.
 */
export function viewOf(name: unknown, bytes: Uint8Array<ArrayBuffer>): ArrayBuffer | ArrayBufferView | undefined {
  if (name === BUFFER) return bytes.buffer;
  const View = VIEW.test(String(name)) && (globalThis as unknown as Record<string, Buffers | undefined>)[String(name)];
  if (!View) return bytes;
  return bytes.length % View.BYTES_PER_ELEMENT === 0 ? new View(bytes.buffer) : undefined;
}
