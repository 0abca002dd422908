type Buffers = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Views that travel by name. `Uint8Array` is what stands for no name. */
const VIEWS: Readonly<Record<string, { readonly make: Buffers; readonly elementSize: number }>> = Object.fromEntries(
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
  ].map((make) => [make.name, { make: make as Buffers, elementSize: make.BYTES_PER_ELEMENT }]),
);

/** The name of a typed array's class; that of the built-in also for subclasses such as Node's `Buffer`. */
export function viewName(view: ArrayBufferView): string | undefined {
  const name = (view as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return name !== undefined && Object.hasOwn(VIEWS, name) ? name : undefined;
}

/**
 * The bytes as the named type: plain bytes where the name is not known here, `undefined` where
 * the length is not a whole number of elements.
 */
export function viewOf(
  name: string | undefined,
  bytes: Uint8Array<ArrayBuffer>,
): ArrayBuffer | ArrayBufferView | undefined {
  if (name === "ArrayBuffer") return bytes.buffer;
  const view = name !== undefined && Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
  if (view === undefined) return bytes;
  return bytes.byteLength % view.elementSize === 0 ? new view.make(bytes.buffer) : undefined;
}
