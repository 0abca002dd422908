import { LunoraError } from "@lunora/errors";

import type { Table } from "../table.ts";
import type { Statement } from "./d1-binding.ts";
import type { WrittenTable } from "./written-rows.ts";

/** Characters of rows that are sent along with a read: a value has two million bytes at most. */
const OVERLAY_LENGTH = 600_000;

/** D1's planner chooses: indexes of another version of the app may be gone, and an overlay has none. */
const INDEXED_BY = / INDEXED BY "(?:[^"]|"")*"/g;

export function withoutIndexNames({ text, bindings }: Statement): Statement {
  return { text: text.replace(INDEXED_BY, ""), bindings };
}

/** What stands for the table: its rows, but those that were written as they will be. `?1` has them. */
function replacement({ quoted }: Table): string {
  const rows = "json_each(?1)";
  const own = `SELECT id, _creationTime, doc, keys, rowid FROM main.${quoted} WHERE id NOT IN (SELECT value ->> 0 FROM ${rows})`;
  // New rows come behind all others where only the row number tells them apart.
  const rowNumber = `coalesce((SELECT rowid FROM main.${quoted} WHERE id = value ->> 0), 9000000000000000 + key)`;
  const written = `SELECT value ->> 0, CAST(value ->> 1 AS REAL), value ->> 2, value ->> 3, ${rowNumber} FROM ${rows} WHERE json_array_length(value) > 1`;
  return `WITH ${quoted}(id, _creationTime, doc, keys, rowid) AS (${own} UNION ALL ${written})`;
}

/**
 * A read of the table as it will be when what was written is committed: a name that is not the table's own any more.
 * SQLite pushes the statement's conditions into both halves, so the indexes of the table serve as before.
 */
export function overlaid(table: Table, statement: Statement, written: WrittenTable): Statement {
  const rows = [...written].map(([id, { after }]) =>
    after === undefined ? [id] : [id, after.creationTime, after.doc, after.keys],
  );
  const json = JSON.stringify(rows);
  if (json.length > OVERLAY_LENGTH) {
    throw new LunoraError(
      "GLOBAL_READ_AFTER_WRITE",
      `the mutation reads a list of \`${table.name}\` after it has written too much of it (${json.length} characters; ${OVERLAY_LENGTH} are sent along with a read): read before writing, or write less`,
      { data: { table: table.name } },
    );
  }
  const { text, bindings } = withoutIndexNames(statement);
  // `render` puts many values into the first binding, which is the second here.
  const moved = text.replaceAll("json_extract(?1,", "json_extract(?2,");
  return { text: `${replacement(table)} ${moved}`, bindings: [json, ...bindings] };
}
