import type { Table } from "../table.ts";
import { pagesOf } from "./mirror-copy.ts";
import type { MirrorCopy } from "./mirror-copy.ts";
import type { MirroredCondition } from "./mirror-conditions.ts";
import type { MirrorReader } from "./mirror-reader.ts";

/** What filling copies needs. */
export interface LoadHost {
  readonly reader: MirrorReader;
  readonly copy: MirrorCopy;
  /** Between two polls, milliseconds. */
  readonly interval: number;
  now(): number;
  /** Brings all copies up to date, and moves the cursor. Answers whether every change on the way was told. */
  advance(): Promise<boolean>;
}

/**
 * Copies the rows that the conditions hold for.
 *
 * Only rows that have not changed since the cursor are taken, so every copy stays as the database was there, and nobody
 * sees one row of a batch before another. Those that have changed come when the cursor moves on, for which the
 * conditions count from the beginning.
 */
export async function loadConditions(host: LoadHost, conditions: readonly MirroredCondition[]): Promise<void> {
  const { copy } = host;
  const hadStrays = copy.hasStrays;
  // What changed meanwhile and was not told may be theirs.
  while (!(await fill(host, conditions)));
  await copy.cover(conditions, hadStrays);
}

/** Answers whether all of it is there. */
async function fill(host: LoadHost, conditions: readonly MirroredCondition[]): Promise<boolean> {
  const { reader, copy } = host;
  let advancedAt = host.now();
  let left = conditions.map(({ membership }) => ({ membership, after: "" }));
  while (left.length > 0) {
    const found = await reader.ids(left, copy.cursor as number);
    const sizes = new Map<Table, Map<string, number>>();
    found.forEach((page, place) => {
      const { table } = (left[place] as (typeof left)[number]).membership;
      const ofTable = sizes.get(table) ?? new Map<string, number>();
      for (const [id, size] of page.sizes) ofTable.set(id, size);
      sizes.set(table, ofTable);
    });
    for (const [table, ofTable] of sizes) {
      const missing = copy.missing(table, ofTable.keys());
      for (const ids of pagesOf([...ofTable].filter(([id]) => missing.has(id)))) {
        await copy.insert(table, await reader.rows(table, ids, copy.cursor));
        if (host.now() - advancedAt < host.interval) continue;
        // Filling a long one keeps nobody else from the news.
        if (!(await host.advance())) return false;
        advancedAt = host.now();
      }
    }
    left = left.flatMap(({ membership }, place) => {
      const after = found[place]?.after;
      return after === undefined ? [] : [{ membership, after }];
    });
  }
  return host.advance();
}
