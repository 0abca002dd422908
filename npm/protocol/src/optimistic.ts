/** A row as a client's shapes hold it. */
export type OptimisticRow = Readonly<Record<string, unknown>>;

/**
 * `ctx.db` of a mutator while it runs on a client: the rows of the client's shapes, with what
 * earlier optimistic mutations did to them. Each call names its table. The promises are settled
 * when they are returned, so that a mutator that awaits nothing else ends without the client
 * waiting for anything.
 */
export interface OptimisticDatabase {
  /** The row, or `null` when no shape of this client has it. */
  get(table: string, id: string): Promise<OptimisticRow | null>;
  /** Resolves to the id, which the server derives alike from the mutation's id. */
  insert(table: string, document: object): Promise<string>;
  /** Sets the named columns; `null` clears an optional one. Without effect when no shape has the row. */
  patch(table: string, id: string, patch: object): Promise<void>;
  /** Sets every column. Without effect when no shape has the row. */
  replace(table: string, id: string, document: object): Promise<void>;
  /** Without effect when no shape has the row. */
  delete(table: string, id: string): Promise<void>;
}

/** `ctx` of a mutator while it runs on a client. */
export interface OptimisticContext {
  readonly db: OptimisticDatabase;
  /** Epoch milliseconds of the client's clock, the same each time that this mutation runs again. */
  readonly now: number;
}

/** What a client needs of a mutator to show its effect in advance. */
export interface OptimisticMutator {
  apply(context: OptimisticContext, args: unknown): unknown;
}
