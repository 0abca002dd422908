import type { StoredRow } from "../document.ts";
import type { Membership } from "../live/membership.ts";
import type { Fragment } from "../statement.ts";
import type { Table } from "../table.ts";
import type { GlobalDatabase } from "./global-database.ts";
import {
  changedTables,
  changesAfter,
  extentOf,
  extentStatement,
  idsWhere,
  rowOf,
  rowsOfChanges,
  rowsOfIds,
} from "./mirror-reads.ts";
import type { Answer, Extent, Noted } from "./mirror-reads.ts";

/** Changes that are read at once, with their rows. */
const CHANGES = 500;

/** Changes after which what was read is applied, though more of the same batch may follow. */
const HELD_CHANGES = 20_000;

/** Ids that one condition is read by at once. */
const IDS = 20_000;

/** Larger than any position. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Rows by id; `undefined`: the row is gone. */
export type RowsById = ReadonlyMap<string, StoredRow | undefined>;

/** What changed, and the rows as they are then. */
export interface ChangedRows {
  readonly rows: ReadonlyMap<Table, RowsById>;
  /** Names of all tables that changed, others than those asked for among them. */
  readonly tables: ReadonlySet<string>;
  /** What is told is everything up to here. */
  readonly upTo: number;
  /** Rows and `upTo` are of one moment, and nothing had changed after. */
  readonly isWhole: boolean;
}

/** Ids of rows that meet a condition, with the lengths of their documents. */
export interface FoundIds {
  readonly sizes: ReadonlyMap<string, number>;
  /** Where to go on; `undefined` at the end. */
  readonly after: string | undefined;
}

/** Whether changes behind the cursor are gone, or it is of another list. */
export function isLost({ floor, head }: Extent, cursor: number): boolean {
  return cursor > head || cursor < floor - 1;
}

/** What the mirror asks of the database. */
export class MirrorReader {
  readonly #database: Pick<GlobalDatabase, "read">;

  constructor(database: Pick<GlobalDatabase, "read">) {
    this.#database = database;
  }

  #read(statements: readonly Fragment[]): Promise<readonly (readonly Answer[])[]> {
    return this.#database.read(statements);
  }

  async extent(): Promise<Extent> {
    const [rows = []] = await this.#read([extentStatement()]);
    return extentOf(rows);
  }

  /** Everything that changed after the position; `undefined` when that cannot be told any more. */
  async changes(since: number, tables: readonly Table[]): Promise<ChangedRows | undefined> {
    const rows = new Map(
      tables.map((table) => [table.name, { table, byId: new Map<string, StoredRow | undefined>() }]),
    );
    const names = new Set<string>();
    let count = 0;
    let upTo = since;
    for (;;) {
      const changes = changesAfter(upTo, tables, CHANGES);
      const ofTables = tables.length === 0 ? [] : [changes, ...tables.map((table) => rowsOfChanges(changes, table))];
      const [first = [], named = [], noted = [], ...found] = await this.#read([
        extentStatement(),
        changedTables(upTo),
        ...ofTables,
      ]);
      const extent = extentOf(first);
      if (isLost(extent, upTo)) return undefined;
      for (const { name } of named) names.add(name as string);
      const page = noted as unknown as readonly Noted[];
      for (const { table, id } of page) rows.get(table)?.byId.set(id, undefined);
      tables.forEach((table, place) => {
        for (const answer of found[place] ?? [])
          rows.get(table.name)?.byId.set(answer["id"] as string, rowOf(table, answer));
      });
      const isWhole = page.length < CHANGES;
      upTo = isWhole ? extent.head : (page.at(-1) as Noted).seq;
      count += page.length;
      if (isWhole || count >= HELD_CHANGES)
        return {
          rows: new Map(Array.from(rows.values(), ({ table, byId }) => [table, byId])),
          tables: names,
          upTo,
          isWhole,
        };
    }
  }

  /** The next ids of each condition, behind `after`, of rows that have not changed since. */
  async ids(
    conditions: readonly { readonly membership: Membership; readonly after: string }[],
    since: number,
  ): Promise<readonly FoundIds[]> {
    const statements = conditions.map(({ membership: { table, condition }, after }) =>
      idsWhere(table, condition.fragment === false ? undefined : condition.fragment, since, after, IDS),
    );
    return (await this.#read(statements)).map((rows) => ({
      sizes: new Map(rows.map(({ id, size }) => [id as string, size as number])),
      after: rows.length < IDS ? undefined : (rows.at(-1)?.["id"] as string),
    }));
  }

  /** Those of the rows that have not changed after the position; without one as they are. */
  async rows(table: Table, ids: readonly string[], since: number = NEVER): Promise<StoredRow[]> {
    const [answers = []] = await this.#read([rowsOfIds(table, ids, since)]);
    return answers.map((answer) => rowOf(table, answer));
  }
}
