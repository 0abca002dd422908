import { fromBase64Url, ID_RANDOM_BYTES, mintId, toBase64Url } from "@lunora/protocol";

/** A fresh job id: randomness, and for a job that a mutation scheduled a dot and the name of its shard as base64url. */
export function newJobId(shard?: string): string {
  const random = mintId(crypto.getRandomValues(new Uint8Array(ID_RANDOM_BYTES)));
  return shard === undefined ? random : `${random}.${toBase64Url(new TextEncoder().encode(shard))}`;
}

/** The shard whose outbox the job came from; `undefined` for one that no shard scheduled, and for what is no id. */
export function jobSource(id: string): string | undefined {
  const text = /^[\w-]{22}\.([\w-]+)$/.exec(id)?.[1];
  const bytes = text === undefined ? undefined : fromBase64Url(text);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
