import { encodeValue } from "./encode-value.ts";

/**
 * JSON text that is the same for equal values: object keys sorted at every depth by UTF-16 code
 * unit, `null` kept, `undefined` dropped. Takes what {@link encodeValue} returns.
 */
export function canonicalJson(encoded: unknown): string {
  if (typeof encoded !== "object" || encoded === null) return JSON.stringify(encoded ?? null);
  if (Array.isArray(encoded)) return `[${encoded.map(canonicalJson).join()}]`;
  const fields = encoded as Record<string, unknown>;
  const keys = Object.keys(fields).filter((key) => fields[key] !== undefined);
  const parts = keys.sort().map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`);
  return `{${parts.join()}}`;
}

/** One text for each (function, arguments, shard): what subscriptions are shared by. */
export function subscriptionKey(functionPath: string, args: unknown, shardKey?: string): string {
  return encodedKey(functionPath, encodeValue(args), shardKey);
}

/** {@link subscriptionKey} of arguments that are wire-encoded. */
export function encodedKey(functionPath: string, args: unknown, shardKey = ""): string {
  return `${functionPath}::${canonicalJson(args)}::${shardKey}`;
}
