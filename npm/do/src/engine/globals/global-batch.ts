import type { StoredRow } from "../document.ts";
import { pieces } from "../pieces.ts";
import type { Table } from "../table.ts";
import type { Statement } from "./d1-binding.ts";
import type { WrittenTable } from "./written-rows.ts";

/** A row that goes into a statement of its own, characters: as JSON it could be longer than a value may be. */
const LARGE = 200_000;

/** Changes and results that are pruned in one batch beyond as many as it adds. */
const PRUNE_ROWS = 100;

/** How long changes are kept for who follows them, milliseconds. */
export const CHANGE_LIFETIME: number = 24 * 60 * 60 * 1000;
/** How long a mutation is known again, milliseconds. */
export const RESULT_LIFETIME: number = 7 * 24 * 60 * 60 * 1000;

/** Everything that one mutation does to D1. */
export interface GlobalBatch {
  /** What the mutation is known again by. */
  readonly key: string;
  /** JSON of its path and its result. */
  readonly result: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Rows that have to be what the mutation saw; `undefined`: missing. */
  readonly guards: ReadonlyMap<Table, ReadonlyMap<string, StoredRow | undefined>>;
  readonly written: ReadonlyMap<Table, WrittenTable>;
}

type Cell = string | number | null;

/** One statement for many rows as JSON in its one value; a row that is long has its cells in four. */
function forRows(
  rows: readonly (readonly Cell[])[],
  ofMany: string,
  ofOne: (cells: readonly Cell[]) => Statement,
): Statement[] {
  const isLong = (cells: readonly Cell[]): boolean =>
    cells.some((cell) => typeof cell === "string" && cell.length > LARGE);
  const many = pieces(rows.filter((cells) => !isLong(cells)));
  return [
    ...many.map((piece): Statement => ({ text: ofMany, bindings: [JSON.stringify(piece)] })),
    ...rows.filter(isLong).map(ofOne),
  ];
}

/** Fails the batch when a row is not what it was: no meta value is NULL. */
function guard({ quoted }: Table, rows: ReadonlyMap<string, StoredRow | undefined>): Statement[] {
  const head = "INSERT INTO __lunora_meta(name, value) SELECT 'guard', NULL";
  const cells = [...rows].map(([id, row]) => [id, row?.doc ?? null]);
  return forRows(
    cells,
    `${head} FROM json_each(?) AS seen LEFT JOIN ${quoted} AS present ON present.id = seen.value ->> 0 WHERE present.doc IS NOT seen.value ->> 1 LIMIT 1`,
    ([id, doc]) => ({
      text: `${head} WHERE (SELECT doc FROM ${quoted} WHERE id = ?) IS NOT ?`,
      bindings: [id as string, doc as string],
    }),
  );
}

function remove({ quoted }: Table, ids: readonly string[]): Statement[] {
  const text = `DELETE FROM ${quoted} WHERE id IN (SELECT value ->> 0 FROM json_each(?))`;
  return pieces(ids.map((id) => [id])).map((piece) => ({ text, bindings: [JSON.stringify(piece)] }));
}

/** Rows that give up their unique values, so that others may take them, whatever the order in which they are updated. */
function blank({ quoted }: Table, ids: readonly string[]): Statement[] {
  const text = `UPDATE ${quoted} SET doc = '{}', keys = NULL WHERE id IN (SELECT value ->> 0 FROM json_each(?))`;
  return pieces(ids.map((id) => [id])).map((piece) => ({ text, bindings: [JSON.stringify(piece)] }));
}

function update({ quoted }: Table, rows: readonly StoredRow[]): Statement[] {
  return forRows(
    rows.map(({ id, creationTime, doc, keys }) => [creationTime, doc, keys, id]),
    `UPDATE ${quoted} SET _creationTime = fresh.value ->> 0, doc = fresh.value ->> 1, keys = fresh.value ->> 2 FROM json_each(?) AS fresh WHERE ${quoted}.id = fresh.value ->> 3`,
    (cells) => ({
      text: `UPDATE ${quoted} SET _creationTime = ?, doc = ?, keys = ? WHERE id = ?`,
      bindings: cells,
    }),
  );
}

function insert({ quoted }: Table, rows: readonly StoredRow[]): Statement[] {
  const head = `INSERT INTO ${quoted}(id, _creationTime, doc, keys)`;
  return forRows(
    rows.map(({ id, creationTime, doc, keys }) => [id, creationTime, doc, keys]),
    `${head} SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
    (cells) => ({ text: `${head} VALUES(?, ?, ?, ?)`, bindings: cells }),
  );
}

function isChanged({ before, after }: { before: StoredRow | undefined; after: StoredRow | undefined }): boolean {
  return before?.doc !== after?.doc || before?.keys !== after?.keys || before?.creationTime !== after?.creationTime;
}

/** What becomes of the rows of one table; unique values are given up before they are taken. */
function write(table: Table, written: WrittenTable): Statement[] {
  const rows = [...written].filter(([, row]) => isChanged(row));
  const removed = rows.filter(([, { after }]) => after === undefined).map(([id]) => id);
  const updated = rows.flatMap(([, { before, after }]) => (before !== undefined && after !== undefined ? [after] : []));
  const inserted = rows.flatMap(([, { before, after }]) =>
    before === undefined && after !== undefined ? [after] : [],
  );
  const mayCross = updated.length > 1 && [...table.indexes.values()].some(({ unique }) => unique);
  return [
    ...remove(table, removed),
    ...(mayCross
      ? blank(
          table,
          updated.map(({ id }) => id),
        )
      : []),
    ...update(table, updated),
    ...insert(table, inserted),
  ];
}

function changed({ name }: Table, written: WrittenTable): readonly (readonly [string, string])[] {
  return [...written].flatMap(([id, row]) => (isChanged(row) ? [[name, id] as const] : []));
}

/** Forgets a bounded number of what is too old. The newest change stays, so that its number is known. */
function prune(now: number, added: number): Statement[] {
  const rows = PRUNE_ROWS + 2 * added;
  return [
    {
      text: "DELETE FROM __lunora_changes WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM __lunora_changes ORDER BY seq LIMIT ?) WHERE at < ?) AND seq < (SELECT max(seq) FROM __lunora_changes)",
      bindings: [rows, now - CHANGE_LIFETIME],
    },
    {
      text: "DELETE FROM __lunora_idempotency WHERE key IN (SELECT key FROM __lunora_idempotency WHERE at < ? ORDER BY at LIMIT ?)",
      bindings: [now - RESULT_LIFETIME, PRUNE_ROWS],
    },
  ];
}

/**
 * The statements of a mutation, for one transaction. What it is known again by comes first: a repetition is told from a
 * lost race, and both from a unique value that another row has.
 */
export function batchOf({ key, result, now, guards, written }: GlobalBatch, prunes: boolean): Statement[] {
  const changes = [...written].flatMap(([table, rows]) => changed(table, rows));
  const addChanges = `INSERT INTO __lunora_changes("table", id, at) SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1)`;
  return [
    { text: "INSERT INTO __lunora_idempotency(key, result, at) VALUES(?, ?, ?)", bindings: [key, result, now] },
    ...[...guards].flatMap(([table, rows]) => guard(table, rows)),
    ...[...written].flatMap(([table, rows]) => write(table, rows)),
    ...pieces(changes).map((piece): Statement => ({ text: addChanges, bindings: [JSON.stringify(piece), now] })),
    ...(prunes ? prune(now, changes.length) : []),
  ];
}

/** Asks how a mutation ended that is known by the key. */
export function outcomeOf(key: string): Statement {
  return { text: "SELECT result FROM __lunora_idempotency WHERE key = ?", bindings: [key] };
}
