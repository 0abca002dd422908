/** JSON over several lines; a text that is no JSON, or was cut, as it is. */
export function pretty(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    // Cut, or no JSON at all.
    return value;
  }
}
