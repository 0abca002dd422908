import type { Loose } from "./loose.ts";

/** One thing to do with `ctx.db`, as a test writes it down. */
export interface Step {
  readonly table: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A walk of `ctx.db.query(table)`. */
export interface WalkSpec {
  readonly index?: string;
  readonly range?: readonly (readonly [operator: string, field: string, value: unknown])[];
  readonly order?: "asc" | "desc";
  /** Keeps rows whose field has this value. */
  readonly keep?: readonly [field: string, value: unknown];
  readonly terminal: readonly [name: string, ...args: unknown[]];
}

/** Stands for the result of an earlier step. */
export interface Reference {
  readonly $ref: number;
}

function resolve(value: unknown, results: readonly unknown[]): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, results));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  if ("$ref" in value) return results[(value as Reference).$ref];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, results)]));
}

/** Builds the query that the specification says, without its terminal. */
export function buildWalk(db: Loose, table: string, spec: WalkSpec): Loose {
  let query = db.query(table);
  if (spec.index !== undefined) {
    query = query.withIndex(spec.index, (builder: Loose) =>
      (spec.range ?? []).reduce((range: Loose, [operator, field, value]) => range[operator](field, value), builder),
    );
  }
  if (spec.order !== undefined) query = query.order(spec.order);
  const { keep } = spec;
  if (keep !== undefined) query = query.filter((row: Loose) => row[keep[0]] === keep[1]);
  return query;
}

async function walk(db: Loose, table: string, spec: WalkSpec): Promise<unknown> {
  const query = buildWalk(db, table, spec);
  const [name, ...args] = spec.terminal;
  if (name !== "iterate") return query[name](...args);
  const rows = [];
  for await (const row of query) {
    rows.push(row);
    if (rows.length === args[0]) break;
  }
  return rows;
}

/** Does one step. Methods of `ctx.db` itself are named with a table of `""`. */
export async function doStep(
  db: Loose,
  { table, method, args }: Step,
  results: readonly unknown[] = [],
): Promise<unknown> {
  const resolved = resolve(args, results) as unknown[];
  if (method === "walk") return walk(db, table, resolved[0] as WalkSpec);
  return table === "" ? db[method](...resolved) : db[table][method](...resolved);
}
