/** Most columns of a list of rows. */
const MOST = 6;

/** Columns of rows: the id, declared fields in their order, then others that rows have; the rest is on the row's page. */
export function rowColumns(declared: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  const found = new Set(["_id", ...declared]);
  for (const row of rows) for (const field of Object.keys(row)) found.add(field);
  return [...found].slice(0, MOST);
}
