import { ID_COLUMN } from "./column.ts";
import type { Change } from "./commit.ts";
import type { Document, StoredRow } from "./document.ts";
import { documentOf, keyIn, mayPassAll } from "./field-test.ts";
import type { FieldTest } from "./field-test.ts";
import type { Position, Term } from "./index-walk.ts";
import { compareKeys } from "./sort-key.ts";
import type { SqlKey } from "./sql.ts";
import { ROW_NUMBER } from "./table.ts";
import type { Table } from "./table.ts";

/** Reads of one table that are told apart; more are taken as one of the whole table. */
const RANGES = 256;
const POINTS = 10_000;

/** A stretch of an order. */
export interface Window {
  readonly terms: readonly Term[];
  /** Behind this place. */
  readonly after?: Position | undefined;
  /** Up to this place, included. */
  readonly through?: Position | undefined;
}

/** Some rows of a table: those that meet the tests, in the window. */
interface RangeRead {
  readonly tests: readonly FieldTest[];
  readonly window: Window | undefined;
}

interface TableReads {
  isWhole: boolean;
  readonly ids: Set<string>;
  ranges: RangeRead[];
}

/** The part of {@link Change} that decides. */
export type RowChange = Pick<Change, "table" | "id" | "before" | "after">;

/**
 * What a function read, so that a change can be told that cannot matter to it. Errs on one side
 * only: a change that is told not to matter does not.
 *
 * A result depends on the rows of its reads and on those that could have been among them. So a
 * change matters when its row met the tests of a read before or meets them now.
 */
export class Footprint {
  readonly #reads = new Map<string, TableReads>();
  #readsIdentity = false;
  #readsEverything = false;

  /** Names of the tables, in the order in which they were first read. */
  get tables(): ReadonlySet<string> {
    return new Set(this.#reads.keys());
  }

  /** Whether who calls was looked at. */
  get readsIdentity(): boolean {
    return this.#readsIdentity;
  }

  /** Nothing is known: every change of any table matters. */
  get readsEverything(): boolean {
    return this.#readsEverything;
  }

  noteIdentity(): void {
    this.#readsIdentity = true;
  }

  noteEverything(): void {
    this.#readsEverything = true;
  }

  #of(table: Table): TableReads {
    let reads = this.#reads.get(table.name);
    if (reads === undefined) this.#reads.set(table.name, (reads = { isWhole: false, ids: new Set(), ranges: [] }));
    return reads;
  }

  #noteWhole(reads: TableReads): void {
    reads.isWhole = true;
    reads.ids.clear();
    reads.ranges = [];
  }

  /** Something of the table was read, it is not known what. */
  noteTable(name: string): void {
    this.#reads.set(name, { isWhole: true, ids: new Set(), ranges: [] });
  }

  /** The row with this id was read, or was found missing. */
  notePoint(table: Table, id: string): void {
    const reads = this.#of(table);
    if (reads.isWhole) return;
    if (reads.ids.size < POINTS) reads.ids.add(id);
    else this.#noteWhole(reads);
  }

  /** All rows that meet the tests, in the window, were read. */
  noteRange(table: Table, tests: readonly FieldTest[], window?: Window): void {
    const reads = this.#of(table);
    if (reads.isWhole) return;
    const isBounded = window !== undefined && (window.after !== undefined || window.through !== undefined);
    const named = tests.find(({ source, oneOf }) => source === ID_COLUMN && oneOf !== undefined)?.oneOf;
    if (named !== undefined) {
      for (const id of named) if (id !== null) this.notePoint(table, id as string);
    } else if ((tests.length === 0 && !isBounded) || reads.ranges.length >= RANGES) {
      this.#noteWhole(reads);
    } else {
      reads.ranges.push({ tests, window: isBounded ? window : undefined });
    }
  }

  /** Whether one of the changes can make a difference to what was read. */
  touches(changes: readonly RowChange[]): boolean {
    return changes.some((change) => this.#isTouchedBy(change));
  }

  #isTouchedBy({ table, id, before, after }: RowChange): boolean {
    if (this.#readsEverything) return true;
    const reads = this.#reads.get(table.name);
    if (reads === undefined || isSame(before, after)) return false;
    if (reads.isWhole || reads.ids.has(id)) return true;
    return reads.ranges.some((range) => mayHold(table, range, before) || mayHold(table, range, after));
  }
}

function isSame(before: StoredRow | undefined, after: StoredRow | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return before.doc === after.doc && before.keys === after.keys && before.creationTime === after.creationTime;
}

function mayHold(table: Table, { tests, window }: RangeRead, row: StoredRow | undefined): boolean {
  if (row === undefined) return false;
  const document = documentOf(table, row);
  return mayPassAll(tests, document) && (window === undefined || mayBeIn(window, document));
}

function mayBeIn({ terms, after, through }: Window, document: Document): boolean {
  if (after !== undefined) {
    const order = compare(terms, document, after);
    if (order !== undefined && order <= 0) return false;
  }
  if (through === undefined) return true;
  const order = compare(terms, document, through);
  return order === undefined || order <= 0;
}

/** Where the row stands against a place; `undefined` when only SQLite knows. */
function compare(terms: readonly Term[], document: Document, place: Position): number | undefined {
  for (const [index, { source, descending }] of terms.entries()) {
    const key: SqlKey | undefined = source === ROW_NUMBER ? undefined : keyIn(source, document);
    if (key === undefined) return undefined;
    const order = compareKeys(key, place[index] ?? null);
    if (order !== 0) return descending ? -order : order;
  }
  return 0;
}
