import { LunoraError } from "@lunora/errors";

/** Longest body unless the app says otherwise, bytes. */
export const BODY_BYTES: number = 1024 * 1024;

/**
 * Deepest nesting of JSON. A wire value has 64 levels, each of which is at most three of JSON (the
 * entries of a map); what is deeper would overflow the stack of whoever walks it.
 */
const JSON_DEPTH = 256;

/** Reads the body, counting what really arrives: `content-length` is only a claim. */
async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = (): LunoraError =>
    new LunoraError("PAYLOAD_TOO_LARGE", `the body is longer than ${limit} bytes`, { data: { limit } });
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Refuses what nests too deeply, before it is parsed. */
function checkDepth(text: string): void {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case 0x22:
        // A string: brackets inside do not count.
        for (index += 1; index < text.length && text.charCodeAt(index) !== 0x22; index += 1) {
          if (text.charCodeAt(index) === 0x5c) index += 1;
        }
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        if (depth > JSON_DEPTH)
          throw new LunoraError("WIRE_TOO_DEEP", `the body is nested deeper than ${JSON_DEPTH} levels`);
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
      default:
    }
  }
}

/** The body as JSON. Throws coded errors for a wrong type, a body that is too long or too deep, and for text that is no JSON. */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new LunoraError(
      "UNSUPPORTED_MEDIA_TYPE",
      `the content type is \`${type ?? ""}\`; it has to be \`application/json\``,
    );
  }
  const bytes = await readBytes(request, limit);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "the body is not UTF-8", { cause: error });
  }
  checkDepth(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "the body is not JSON", { cause: error });
  }
}
