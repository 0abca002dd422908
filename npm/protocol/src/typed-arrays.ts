interface Buffers {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
}

/** Views that travel by name. `Uint8Array` is what stands for no name. */
const VIEWS: ReadonlyMap<unknown, Buffers> = new Map(
  [
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((view) => [view.name, view as Buffers]),
);

/** The name of a typed array's class; that of the built-in also for subclasses such as Node's `Buffer`. */
export function viewName(view: ArrayBufferView): string | undefined {
  const name = (view as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return VIEWS.has(name) ? name : undefined;
}

/**
 * The bytes as the named type: plain bytes where the name is not known here, `undefined` where
 * the length is not a whole number of elements.
 */
export function viewOf(name: unknown, bytes: Uint8Array<ArrayBuffer>): ArrayBuffer | ArrayBufferView | undefined {
  if (name === "ArrayBuffer") return bytes.buffer;
  const View = VIEWS.get(name);
  if (!View) return bytes;
  return bytes.length % View.BYTES_PER_ELEMENT === 0 ? new View(bytes.buffer) : undefined;
}
