export type SqlValue = string | number | null | ArrayBuffer;

export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The SQL half of an object's storage, as the platform offers it. Synchronous; a turn is committed as one. */
export interface SqlStorage {
  exec(statement: string, ...bindings: SqlValue[]): { toArray(): SqlRow[] };
}
