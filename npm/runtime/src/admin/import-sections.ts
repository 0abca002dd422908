import { LunoraError } from "@lunora/errors";

/** Numbered lines of one shard. */
export interface Section {
  readonly shard: string;
  readonly lines: string;
}

const SHARD_LINE = /^\d+ (\{"kind":"shard",.*\})$/;

function shardOf(json: string): string {
  try {
    const { name } = JSON.parse(json) as { name?: unknown };
    if (typeof name === "string" && name !== "" && name.length <= 2_000 && !name.startsWith("__lunora_")) return name;
  } catch {
    // Said below.
  }
  throw new LunoraError("BAD_REQUEST", "a line that begins a shard does not name one");
}

/** Cuts a body at the lines that begin a shard; what is in between is the shard's business. */
export function splitSections(text: string): Section[] {
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const begins = SHARD_LINE.exec(line)?.[1];
    if (begins !== undefined) {
      const shard = shardOf(begins);
      current = sections.get(shard) ?? [];
      sections.set(shard, current);
    } else if (current === undefined) {
      throw new LunoraError("BAD_REQUEST", "rows have to stand behind the line that names their shard");
    } else current.push(line);
  }
  return [...sections].map(([shard, lines]) => ({ shard, lines: lines.join("\n") }));
}
