import { applyPageOperations, pageOf } from "@lunora/protocol";
import type { PageOperation, PageRow } from "@lunora/protocol";

/** More changes than this, and the whole result is sent. */
const OPERATIONS = 100;

/** The result without its rows; for an array there is nothing besides. */
function frameOf(result: unknown): string {
  return Array.isArray(result) ? "" : JSON.stringify({ ...(result as object), page: null });
}

/**
 * The row changes that lead from one (wire-encoded) result to the next; `undefined` when they do
 * not: no rows, another field changed, or replaying them by the rule that readers follow gives
 * another order.
 */
export function diffPages(before: unknown, after: unknown): readonly PageOperation[] | undefined {
  const old = pageOf(before);
  const rows = pageOf(after);
  if (old === undefined || rows === undefined) return undefined;
  if (Array.isArray(before) !== Array.isArray(after) || frameOf(before) !== frameOf(after)) return undefined;
  const operations = operationsOf(old, rows);
  if (operations.length === 0 || operations.length > OPERATIONS) return undefined;
  const replayed = applyPageOperations(old, operations);
  const isSame =
    replayed?.length === rows.length && replayed.every(({ _id }, place) => _id === (rows[place] as PageRow)._id);
  return isSame ? operations : undefined;
}

function operationsOf(before: readonly PageRow[], after: readonly PageRow[]): PageOperation[] {
  const old = new Map(before.map((row) => [row._id, row]));
  const present = new Set(after.map(({ _id }) => _id));
  const deletes: PageOperation[] = [];
  const updates: PageOperation[] = [];
  const inserts: PageOperation[] = [];
  for (const { _id: key } of before) if (!present.has(key)) deletes.push({ op: "delete", key });
  for (const row of after) {
    const previous = old.get(row._id);
    if (previous === undefined) inserts.push({ op: "insert", key: row._id, value: row });
    else if (JSON.stringify(previous) !== JSON.stringify(row)) updates.push({ op: "update", key: row._id, value: row });
  }
  // Removals last: the rows that go tell the direction of the list to those that come.
  return [...updates, ...inserts, ...deletes];
}
