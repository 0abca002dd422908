// What a developer without Lunora would write to keep the function files: builders, validators and
// SQLite access in their plainest form. The peers run and type-check the same function files on it.

export interface Task {
  _id: string;
  project: string;
  title: string;
  points: number;
  labels: string[];
  state: "open" | "closed";
}

export interface Validator<Value, Optional extends boolean = false> {
  readonly kind: string;
  readonly optional: Optional;
  readonly value?: Value;
}

type Shape = Record<string, Validator<unknown, boolean>>;
type ValueOf<V> = V extends Validator<infer Value, boolean> ? Value : never;
type OptionalNames<Input extends Shape> = {
  [Name in keyof Input]: Input[Name] extends Validator<unknown, true> ? Name : never;
}[keyof Input];
export type ArgumentsOf<Input extends Shape> = {
  [Name in Exclude<keyof Input, OptionalNames<Input>>]: ValueOf<Input[Name]>;
} & {
  [Name in OptionalNames<Input>]?: ValueOf<Input[Name]>;
};

const validator = <Value>(kind: string): Validator<Value> => ({ kind, optional: false });

export const v = {
  string: (): Validator<string> => validator("string"),
  number: (): Validator<number> => validator("number"),
  id: (_table: string): Validator<string> => validator("id"),
  array: <Value>(_item: Validator<Value>): Validator<Value[]> => validator("array"),
  optional: <Value>(inner: Validator<Value>): Validator<Value, true> => ({ kind: inner.kind, optional: true }),
};

interface Range {
  eq(field: keyof Task, value: string): Range;
}

export interface Query {
  withIndex(name: string, range: (range: Range) => Range): Query;
  order(direction: "asc" | "desc"): Query;
  take(count: number): Promise<Task[]>;
  collect(): Promise<Task[]>;
}

export interface Database {
  query(table: string): Query;
  get(table: string, id: string): Promise<Task | null>;
  insert(table: string, task: Omit<Task, "_id">): Promise<string>;
  patch(table: string, id: string, patch: Partial<Task>): Promise<void>;
}

export interface Context {
  db: Database;
}

export interface RegisteredFunction<Kind extends "query" | "mutation", Input extends Shape, Result> {
  readonly kind: Kind;
  readonly input: Input;
  readonly handler: (call: { ctx: Context; args: ArgumentsOf<Input> }) => Promise<Result>;
}

export const query = {
  input: <Input extends Shape>(input: Input) => ({
    query: <Result>(
      handler: (call: { ctx: Context; args: ArgumentsOf<Input> }) => Promise<Result>,
    ): RegisteredFunction<"query", Input, Result> => ({
      kind: "query",
      input,
      handler,
    }),
  }),
};

export const mutation = {
  input: <Input extends Shape>(input: Input) => ({
    mutation: <Result>(
      handler: (call: { ctx: Context; args: ArgumentsOf<Input> }) => Promise<Result>,
    ): RegisteredFunction<"mutation", Input, Result> => ({
      kind: "mutation",
      input,
      handler,
    }),
  }),
};

interface Sql {
  exec(statement: string, ...values: unknown[]): { toArray(): Record<string, unknown>[] };
}

const documentOf = (row: Record<string, unknown>): Task => ({
  ...(JSON.parse(String(row.doc)) as Task),
  _id: String(row.id),
});

/** A table is created when it is first touched. */
export function openDatabase(sql: Sql): Database {
  const known = new Set<string>();
  const ensure = (table: string): string => {
    if (!known.has(table)) {
      sql.exec(`CREATE TABLE IF NOT EXISTS "${table}" (id TEXT PRIMARY KEY, doc TEXT NOT NULL)`);
      sql.exec(`CREATE INDEX IF NOT EXISTS "${table}_by_project" ON "${table}" (json_extract(doc, '$.project'))`);
      known.add(table);
    }
    return `"${table}"`;
  };
  const get = async (table: string, id: string): Promise<Task | null> => {
    const [row] = sql.exec(`SELECT id, doc FROM ${ensure(table)} WHERE id = ?`, id).toArray();
    return row === undefined ? null : documentOf(row);
  };
  return {
    get,
    query: (table) => {
      const conditions: [string, string][] = [];
      let order = "ASC";
      const run = async (limit: number): Promise<Task[]> => {
        const where = conditions.map(([field]) => `json_extract(doc, '$.${field}') = ?`).join(" AND ");
        const statement = `SELECT id, doc FROM ${ensure(table)} ${where === "" ? "" : `WHERE ${where}`} ORDER BY rowid ${order} LIMIT ?`;
        return sql
          .exec(statement, ...conditions.map(([, value]) => value), limit)
          .toArray()
          .map(documentOf);
      };
      const range: Range = {
        eq: (field, value) => {
          conditions.push([field, value]);
          return range;
        },
      };
      const chain: Query = {
        withIndex: (_name, build) => {
          build(range);
          return chain;
        },
        order: (direction) => {
          order = direction;
          return chain;
        },
        take: run,
        collect: () => run(-1),
      };
      return chain;
    },
    insert: async (table, task) => {
      const id = crypto.randomUUID();
      sql.exec(`INSERT INTO ${ensure(table)} (id, doc) VALUES (?, ?)`, id, JSON.stringify(task));
      return id;
    },
    patch: async (table, id, patch) => {
      const task = await get(table, id);
      if (task === null) throw new Error(`No \`${id}\` in \`${table}\``);
      sql.exec(`UPDATE ${ensure(table)} SET doc = ? WHERE id = ?`, JSON.stringify({ ...task, ...patch }), id);
    },
  };
}
