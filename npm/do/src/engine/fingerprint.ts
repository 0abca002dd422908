/** 64 bits, FNV-1a in two lanes: tells one text from another, protects nothing. */
export function fingerprint(text: string): string {
  let left = 0x811c9dc5;
  let right = 0x1b873593;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    left = Math.imul(left ^ unit, 0x01000193);
    right = Math.imul(right ^ unit, 0x85ebca6b) ^ (right >>> 15);
  }
  return `${(left >>> 0).toString(36)}-${(right >>> 0).toString(36)}`;
}
