import { LunoraError } from "@lunora/errors";
import { assertShallow } from "@lunora/protocol";

/** Longest body unless the app says otherwise, bytes. */
export const BODY_BYTES: number = 1024 * 1024;

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

/** The body as text of a media type. Throws coded errors for another type, and for a body that is too long or not UTF-8. */
export async function readText(request: Request, wanted: string, limit: number): Promise<string> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== wanted) {
    throw new LunoraError(
      "UNSUPPORTED_MEDIA_TYPE",
      `the content type is \`${type ?? ""}\`; it has to be \`${wanted}\``,
    );
  }
  const bytes = await readBytes(request, limit);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "the body is not UTF-8", { cause: error });
  }
}

/** The body as JSON. Throws coded errors for a wrong type, a body that is too long or too deep, and for text that is no JSON. */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const text = await readText(request, "application/json", limit);
  assertShallow(text, "the body");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "the body is not JSON", { cause: error });
  }
}
