import { LunoraError } from "@lunora/errors";
import { objectName, ROOT_OBJECT } from "@lunora/protocol";
import type { SchemaDefinition } from "@lunora/server";

/** Numbered lines of one shard. */
export interface Section {
  readonly shard: string;
  readonly lines: string;
}

const SHARD_LINE = /^\d+ (\{"kind":"shard",.*\})$/;

function shardOf(json: string): string {
  try {
    const { name } = JSON.parse(json) as { name?: unknown };
    if (typeof name === "string") return name;
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

/** Refuses names that no shard of the app has: once it is in the registry, everything that visits shards meets it. */
export function assertShardName(schema: SchemaDefinition, name: string): void {
  if (name === ROOT_OBJECT) return;
  const separator = name.indexOf("=");
  const field = name.slice(0, Math.max(separator, 0));
  const isField = Object.values(schema.tables).some(
    ({ shardMode }) => shardMode.kind === "shardBy" && shardMode.field === field,
  );
  if (isField && canonicalName(field, name.slice(separator + 1)) === name) return;
  throw new LunoraError("BAD_REQUEST", `\`${name.slice(0, 200)}\` is not the name of a shard of this app`);
}

/** The one name of a shard; `undefined` when the value is not percent-encoded text. */
function canonicalName(field: string, encoded: string): string | undefined {
  try {
    return objectName(field, decodeURIComponent(encoded));
  } catch {
    return undefined;
  }
}
