const encoder = new TextEncoder();

/** The bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

const CHUNK = 0x8000;

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(binary);
}

/** The bytes, or `undefined` when the text is not padded base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** base64url without padding. By hand: of what is short, as ids are, that is faster than by way of `btoa`. */
export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const byte = bit >> 3;
    const both = ((bytes[byte] as number) << 8) | (bytes[byte + 1] ?? 0);
    const value = (both >> (10 - (bit & 7))) & 63;
    // A-Z, a-z, 0-9, - and _, each by the distance of its code from its value.
    text += String.fromCharCode(value + (value < 26 ? 65 : value < 52 ? 71 : value < 62 ? -4 : value < 63 ? -17 : 32));
  }
  return text;
}

/** The bytes, or `undefined` when the text is not the one base64url form of them. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padded = text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(-text.length & 3);
  const bytes = fromBase64(padded);
  return bytes !== undefined && toBase64Url(bytes) === text ? bytes : undefined;
}
