/** A row in a result that can change by deltas, wire-encoded or decoded. */
export interface PageRow {
  readonly _id: string;
  readonly [field: string]: unknown;
}

/** A change of one row of a page; `value` is the row after it, absent on delete. */
export interface PageOperation {
  readonly op: "insert" | "update" | "delete";
  readonly key: string;
  readonly value?: unknown;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPageRow(value: unknown): value is PageRow {
  return isObject(value) && Object.hasOwn(value, "_id") && typeof value["_id"] === "string";
}

/**
 * The rows of a result that deltas can change: the result itself when it is an array of rows, or
 * its `page`. `undefined`: it has none, or two of them share an `_id`.
 */
export function pageOf(result: unknown): readonly PageRow[] | undefined {
  const rows = isObject(result) && Object.hasOwn(result, "page") ? result["page"] : result;
  if (!Array.isArray(rows) || !rows.every(isPageRow)) return undefined;
  return new Set(rows.map(({ _id }) => _id)).size === rows.length ? rows : undefined;
}

/** The result with other rows in place of those that {@link pageOf} finds. */
export function withPage(result: unknown, rows: readonly PageRow[]): unknown {
  return Array.isArray(result) ? rows : { ...(result as object), page: rows };
}

/**
 * The rows after a run of changes, or `undefined` when one does not fit: it changes or removes a
 * row that is not there, or inserts one that is. Then the view has to be read afresh.
 *
 * An update keeps the row's place. An insert goes by `_creationTime` where the list has a direction
 * by it, else to the end: see {@link placeOf}.
 */
export function applyPageOperations(
  rows: readonly PageRow[],
  operations: readonly PageOperation[],
): PageRow[] | undefined {
  const result = [...rows];
  for (const { op, key, value } of operations) {
    const place = result.findIndex(({ _id }) => _id === key);
    if (place >= 0 === (op === "insert")) return undefined;
    if (op === "delete") {
      result.splice(place, 1);
      continue;
    }
    if (!isPageRow(value) || value._id !== key) return undefined;
    if (op === "update") result[place] = value;
    else result.splice(placeOf(result, value), 0, value);
  }
  return result;
}

/**
 * Where an inserted row goes. A list whose first and last row have different numeric
 * `_creationTime`s runs from the one to the other; the row goes before the first that is further
 * that way than itself. Any other list, or a row without a numeric `_creationTime`: the end.
 */
function placeOf(rows: readonly PageRow[], row: PageRow): number {
  const time = row["_creationTime"];
  const first = rows[0]?.["_creationTime"];
  const last = rows.at(-1)?.["_creationTime"];
  if (typeof time !== "number" || typeof first !== "number" || typeof last !== "number" || first === last)
    return rows.length;
  const isAscending = first < last;
  const place = rows.findIndex(
    ({ _creationTime: other }) => typeof other === "number" && (isAscending ? other > time : other < time),
  );
  return place < 0 ? rows.length : place;
}
