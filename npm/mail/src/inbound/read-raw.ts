import { LunoraError } from "@lunora/errors";

/** A raw mail: what `message.raw` is, or what a test has. */
export type RawMail = string | Uint8Array | ArrayBuffer | ReadableStream<Uint8Array>;

/** All bytes of a raw mail; a stream is left as soon as it is too long. */
export async function readRaw(raw: RawMail, limit: number): Promise<Uint8Array> {
  if (typeof raw === "string") return bounded(new TextEncoder().encode(raw), limit);
  if (raw instanceof Uint8Array) return bounded(raw, limit);
  if (raw instanceof ArrayBuffer) return bounded(new Uint8Array(raw), limit);
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = raw.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > limit) throw tooLarge(limit);
      pieces.push(value);
    }
  } catch (error) {
    // The rest is nobody's; that it cannot be cancelled changes nothing.
    reader.cancel().catch(() => {});
    throw error;
  }
  const all = new Uint8Array(size);
  let place = 0;
  for (const piece of pieces) {
    all.set(piece, place);
    place += piece.length;
  }
  return all;
}

function bounded(bytes: Uint8Array, limit: number): Uint8Array {
  if (bytes.length > limit) throw tooLarge(limit);
  return bytes;
}

function tooLarge(limit: number): LunoraError {
  return new LunoraError("MAIL_UNREADABLE", `the mail has more than ${limit} bytes`);
}
