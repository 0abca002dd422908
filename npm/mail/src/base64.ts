/** Characters that a single call of `String.fromCharCode` surely takes. */
const PIECE = 0x80_00;

/** Base64 with padding, as MIME and JSON interfaces of mail have it. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += PIECE)
    text += String.fromCharCode(...bytes.subarray(start, start + PIECE));
  return btoa(text);
}
