import { isLunoraError } from "@lunora/errors";

import type { Commit } from "../commit.ts";
import type { StoredRow } from "../document.ts";
import { ROW_COLUMNS, toStoredRow } from "../rows.ts";
import type { SqlStorage } from "../sql.ts";
import { migratedRow } from "./migrated-row.ts";
import type { RowTransform } from "./migrated-row.ts";
import { BATCH_BYTES } from "./migration-pace.ts";
import { ahead, beyond, inFrontOf, target } from "./migration-position.ts";
import type { Direction, Position } from "./migration-position.ts";
import type { MigrationFailure } from "./migration-state.ts";

/** What one batch came to. */
export interface BatchEnd {
  readonly position: Position;
  /** Rows that the transform was shown. */
  readonly rows: number;
  readonly changed: number;
  /** Set when a row stopped it; the line is in front of that row. */
  readonly failure?: MigrationFailure;
}

/** At most so many rows ahead of the line, and whether they are the last: at least one, and no more than about `BATCH_BYTES`. */
function rowsAhead(
  sql: SqlStorage,
  { table }: RowTransform,
  position: Position,
  direction: Direction,
  most: number,
): { readonly rows: readonly StoredRow[]; readonly isEnd: boolean } {
  const { clause, bindings } = ahead(position, direction);
  const sizes = [
    ...sql.exec(`SELECT octet_length(doc) FROM ${table.quoted} ${clause} LIMIT ${most + 1}`, ...bindings).raw(),
  ] as [number][];
  let bytes = 0;
  let taken = 0;
  for (const [size] of sizes) {
    if (taken > 0 && (taken === most || bytes + size > BATCH_BYTES)) break;
    bytes += size;
    taken += 1;
  }
  const rows = sql.exec(`SELECT ${ROW_COLUMNS} FROM ${table.quoted} ${clause} LIMIT ${taken}`, ...bindings);
  return { rows: [...rows.raw()].map(toStoredRow), isEnd: taken === sizes.length };
}

function failureOf(error: unknown, { id, creationTime }: StoredRow): MigrationFailure {
  if (isLunoraError(error)) return { code: error.code, message: error.message, id, creationTime };
  return { code: "MIGRATION_FAILED", message: `the transform threw: ${String(error)}`, id, creationTime };
}

/** Transforms the rows next to the line, through `commit`, until one of them stops it. Nothing else is written. */
export function runBatch(
  sql: SqlStorage,
  host: RowTransform,
  commit: Commit,
  from: Position,
  direction: Direction,
  most: number,
): BatchEnd {
  const { rows, isEnd } = rowsAhead(sql, host, from, direction, most);
  let position = from;
  let changed = 0;
  for (const [index, before] of rows.entries()) {
    try {
      const after = migratedRow(host, before);
      if (after !== undefined) {
        commit.apply({ table: host.table, id: before.id, before, after });
        changed += 1;
      }
    } catch (error) {
      // The storage failed, not the row: nothing of the batch stays.
      if (commit.failure !== undefined) throw commit.failure;
      return { position: inFrontOf(before, direction), rows: index, changed, failure: failureOf(error, before) };
    }
    position = beyond(before, direction);
  }
  return { position: isEnd ? target(direction) : position, rows: rows.length, changed };
}
