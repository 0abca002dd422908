/** For the life of the isolate. Not by environment: apps hand on copies of theirs. */
const told = new Set<string>();

/** Warns, once for each text. */
export function warnOnce(text: string): void {
  if (told.has(text)) return;
  told.add(text);
  console.warn(`[lunora] ${text}`);
}
