/** What SQLite stores and returns here. */
export type SqlValue = string | number | null | ArrayBuffer;

/** A value that rows are compared by. */
export type SqlKey = string | number | null;

/** The rows of one statement, read once. */
export interface SqlCursor extends Iterable<Record<string, SqlValue>> {
  toArray(): Record<string, SqlValue>[];
  raw(): IterableIterator<SqlValue[]>;
  readonly rowsWritten: number;
}

/** The SQL half of an object's storage: the form that Durable Objects offer. Everything is synchronous. */
export interface SqlStorage {
  exec(statement: string, ...bindings: SqlValue[]): SqlCursor;
}

/** A name inside double quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
