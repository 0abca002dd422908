import type { MutatorDatabase } from "@lunora/client";

/** Fields that the store gives to every row. */
type SystemField = "_id" | "_creationTime";

/** A row without the fields that the store gives. */
export type NewRow<Row> = Omit<Row, SystemField>;

/**
 * The rows of one table that the client's shapes hold, as a mutator's client half reads and changes
 * them. A call has its effect at once, and its promise is settled when it is returned.
 */
export interface MutatorTable<Row> {
  /** The row, or `null` when none of the client's shapes holds it. */
  get(id: string): Promise<Row | null>;
  /** All rows that the client's shapes on this shard hold. */
  rows(): Promise<readonly Row[]>;
  /** Resolves to the id that the row will have on the server. */
  insert(row: NewRow<Row>): Promise<string>;
  /** Changes fields, as they are given; no effect when no shape holds the row. */
  patch(id: string, fields: Partial<NewRow<Row>>): Promise<void>;
  /** No effect when no shape holds the row. */
  replace(id: string, row: NewRow<Row>): Promise<void>;
  delete(id: string): Promise<void>;
}

/** A table of the client's shapes, typed by a collection over it. */
export function tableOf<Row>(db: MutatorDatabase, table: string): MutatorTable<Row> {
  // The shape's reference is what says the type of its rows.
  return {
    get: (id) => db.get(table, id) as Promise<unknown> as Promise<Row | null>,
    rows: () => db.rows(table) as Promise<readonly unknown[]> as Promise<readonly Row[]>,
    insert: (row) => db.insert(table, row),
    patch: (id, fields) => db.patch(table, id, fields),
    replace: (id, row) => db.replace(table, id, row),
    delete: (id) => db.delete(table, id),
  };
}
