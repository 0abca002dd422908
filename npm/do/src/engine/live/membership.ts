import { ROW_COLUMNS, toStoredRow } from "../rows.ts";
import { clauses, raw, render, run, sql } from "../statement.ts";
import type { Fragment } from "../statement.ts";
import { documentOf, knowsAll, mayPassAll } from "../field-test.ts";
import type { FieldTest } from "../field-test.ts";
import { fingerprint } from "../fingerprint.ts";
import type { RowChange } from "../footprint.ts";
import type { StoredRow } from "../document.ts";
import type { SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";
import { imagesThatMeet } from "./row-images.ts";
import { PatchText } from "./patch-text.ts";
import type { RowProjection } from "./row-projection.ts";

/** Which rows belong to a shape: a condition on a row alone. */
export interface Condition {
  /** `undefined`: every row. `false`: none. */
  readonly fragment: Fragment | false | undefined;
  /** Tests that every member passes, for telling cheaply that a row is none. */
  readonly tests: readonly FieldTest[];
  /** The tests say all that the fragment says: where their keys are known, SQLite has not to be asked. */
  readonly isTold?: boolean;
}

/**
 * The rows of a table that meet a condition, as their subscribers see them. Subscriptions with
 * equal conditions share one, whoever they belong to, and everything that is computed for it.
 */
export class Membership<Member = unknown> {
  readonly projection: RowProjection;
  readonly condition: Condition;
  /** Equal for memberships that are the same. */
  readonly key: string;
  /** What a view is resumed by: names the condition and the columns. */
  readonly version: string;
  readonly members: Set<Member> = new Set();

  constructor(projection: RowProjection, condition: Condition) {
    this.projection = projection;
    this.condition = condition;
    this.key = membershipKey(projection, condition);
    this.version = fingerprint(this.key);
  }

  get table(): Table {
    return this.projection.table;
  }

  /** Whether the row may be a member; "no" is certain. */
  mayHave(row: StoredRow | undefined): boolean {
    return (
      row !== undefined &&
      this.condition.fragment !== false &&
      mayPassAll(this.condition.tests, documentOf(this.table, row))
    );
  }

  /** Whether the row, which need not be stored, is a member. */
  has(storage: SqlStorage, row: StoredRow): boolean {
    return this.having(storage, [row]).has(row);
  }

  /** Those of the images that are members. */
  having(storage: SqlStorage, images: readonly (StoredRow | undefined)[]): ReadonlySet<StoredRow | undefined> {
    const possible = images.filter((image): image is StoredRow => this.mayHave(image));
    const { fragment, tests, isTold } = this.condition;
    if (possible.length === 0 || fragment === undefined || fragment === false) return new Set(possible);
    if (isTold === true && possible.every((image) => knowsAll(tests, documentOf(this.table, image))))
      return new Set(possible);
    return imagesThatMeet(storage, possible, fragment);
  }

  /** What the changes, one for each row, do to the members. */
  patch(storage: SqlStorage, changes: readonly RowChange[]): PatchText {
    const members = this.having(
      storage,
      changes.flatMap(({ before, after }) => [before, after]),
    );
    const patch = new PatchText();
    for (const change of changes) this.#put(patch, change, members.has(change.before), members.has(change.after));
    return patch;
  }

  #put(patch: PatchText, { id, before, after }: RowChange, was: boolean, is: boolean): void {
    const { projection } = this;
    if (is && was) {
      if (!projection.isSame(before as StoredRow, after as StoredRow))
        patch.put("update", projection, after as StoredRow);
    } else if (is) patch.put("insert", projection, after as StoredRow);
    else if (was) patch.delete(projection, id);
  }

  /** All members, read in one turn, so that nothing can change between the first row and the last. */
  seed(storage: SqlStorage): readonly string[] {
    const patch = new PatchText();
    const { fragment } = this.condition;
    if (fragment === false) return patch.finish();
    const where = fragment === undefined ? undefined : sql`WHERE ${fragment}`;
    const rows = run(storage, clauses(raw(`SELECT ${ROW_COLUMNS} FROM ${this.table.quoted}`, 0), where)).raw();
    for (const values of rows) patch.put("insert", this.projection, toStoredRow(values));
    return patch.finish();
  }

  /** What has to be done to a view of `from`, as it was before the changes, to make it one of this, after them. */
  patchFrom(storage: SqlStorage, from: Membership<Member>, changes: readonly RowChange[]): PatchText {
    const patch = new PatchText();
    const were = from.having(
      storage,
      changes.map(({ before }) => before),
    );
    const are = this.having(
      storage,
      changes.map(({ after }) => after),
    );
    for (const change of changes) this.#put(patch, change, were.has(change.before), are.has(change.after));
    const [before, after] = [from.condition, this.condition].map(truth) as [Fragment, Fragment];
    // Not told to SQLite: so many ids may have changed that no value of a statement holds them.
    const changed = new Set(changes.map(({ id }) => id));
    const rows = run(
      storage,
      clauses(
        sql`SELECT ${ROW_COLUMNS}, ${after}`,
        raw(`FROM ${this.table.quoted}`, 0),
        sql`WHERE ${before} <> ${after}`,
      ),
    ).raw();
    for (const values of rows) {
      const row = toStoredRow(values);
      if (changed.has(row.id)) continue;
      this.#put(patch, { table: this.table, id: row.id, before: row, after: row }, values[4] === 0, values[4] === 1);
    }
    return patch;
  }
}

/** The condition as 0 or 1. */
function truth({ fragment }: Condition): Fragment {
  if (fragment === undefined || fragment === false) return raw(fragment === false ? "0" : "1");
  return sql`((${fragment}) IS TRUE)`;
}

export function membershipKey(projection: RowProjection, { fragment }: Condition): string {
  const condition = fragment === undefined || fragment === false ? [String(fragment)] : Object.values(render(fragment));
  return JSON.stringify([projection.signature, ...condition]);
}
