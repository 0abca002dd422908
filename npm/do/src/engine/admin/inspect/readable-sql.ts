import type { Condition } from "../../live/membership.ts";
import { quoteText } from "../../sql.ts";
import type { SqlKey } from "../../sql.ts";
import { SLOT } from "../../statement.ts";
import type { Table } from "../../table.ts";

/** Characters that are shown of a statement. */
const LENGTH = 20_000;

function literal(value: SqlKey): string {
  if (value === null) return "NULL";
  return typeof value === "string" ? quoteText(value) : String(value);
}

/** The statement that finds the rows of a condition, with its values in place: for reading, it is never run. */
export function readableSql(table: Table, { fragment }: Condition): string {
  const from = `SELECT * FROM ${table.quoted}`;
  if (fragment === undefined) return from;
  if (fragment === false) return `${from} WHERE 0`;
  let text = `${from} WHERE `;
  for (const [index, piece] of fragment.text.split(SLOT).entries()) {
    if (index > 0) text += literal(fragment.values[index - 1] ?? null);
    text += piece;
    if (text.length > LENGTH) return `${text.slice(0, LENGTH)}…`;
  }
  return text;
}
