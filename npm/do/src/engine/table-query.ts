import { LunoraError } from "@lunora/errors";

import { decodeRow } from "./document.ts";
import type { Document } from "./document.ts";
import { selectionOf } from "./find.ts";
import type { FindHost, ReadView } from "./find.ts";
import { rowsOf, statementsOf, WHOLE } from "./index-walk.ts";
import type { Bound, Position, Range, Walk } from "./index-walk.ts";
import { positionOf, termsOfIndex } from "./order.ts";
import { readPage } from "./paginate.ts";
import type { Page } from "./paginate.ts";
import { readAhead } from "./read-ahead.ts";
import { storageOf } from "./rows.ts";
import type { Fragment } from "./statement.ts";
import type { SqlKey } from "./sql.ts";
import { BY_CREATION } from "./table.ts";
import type { Table, TableIndex } from "./table.ts";

/** Rows read at a time by `for await`, during which anything may happen. */
const ITERATION_ROWS = 128;

/** What a query needs of the context it runs in. */
export interface QueryHost {
  /** Asks the policies of the table. */
  reading(): FindHost | Promise<FindHost>;
  /** Reads the table. A promise only where it is global; then `read` may run several times. */
  read<Result>(host: FindHost, read: (host: FindHost) => Result): Result | Promise<Result>;
  /** Throws `CTX_CLOSED` once the function has settled. */
  assertOpen(): void;
}

type RangeOperator = "eq" | "gt" | "gte" | "lt" | "lte";

/** Collects a range over an index. Types forbid a wrong order of calls; plain JavaScript gets `BAD_REQUEST`. */
class RangeBuilder {
  readonly #index: TableIndex;
  readonly equal: SqlKey[] = [];
  lower?: Bound;
  upper?: Bound;

  constructor(index: TableIndex) {
    this.#index = index;
  }

  #add(operator: RangeOperator, field: string, value: unknown): this {
    const source = this.#index.fields[this.equal.length];
    const isUpper = operator === "lt" || operator === "lte";
    const repeats =
      operator === "eq"
        ? this.lower !== undefined || this.upper !== undefined
        : (isUpper ? this.upper : this.lower) !== undefined;
    if (source === undefined || source.field !== field || repeats) {
      const names = this.#index.fields.map((candidate) => `\`${candidate.field}\``).join(", ");
      throw new LunoraError(
        "BAD_REQUEST",
        `\`${operator}("${field}", …)\` does not fit index \`${this.#index.name}\` (${names}): leading fields with \`eq\` in order, then one lower and one upper bound on the next field`,
        { data: { index: this.#index.name, field } },
      );
    }
    const key = source.keyOfOperand(value);
    if (operator === "eq") {
      this.equal.push(key);
      return this;
    }
    if (key === null)
      throw new LunoraError(
        "BAD_REQUEST",
        `\`${operator}\` of \`${field}\` cannot take null: absent values are found with \`eq\``,
      );
    const bound = { key, inclusive: operator === "gte" || operator === "lte" };
    if (isUpper) this.upper = bound;
    else this.lower = bound;
    return this;
  }

  eq(field: string, value: unknown): this {
    return this.#add("eq", field, value);
  }
  gt(field: string, value: unknown): this {
    return this.#add("gt", field, value);
  }
  gte(field: string, value: unknown): this {
    return this.#add("gte", field, value);
  }
  lt(field: string, value: unknown): this {
    return this.#add("lt", field, value);
  }
  lte(field: string, value: unknown): this {
    return this.#add("lte", field, value);
  }
}

interface QueryState {
  readonly index: TableIndex;
  readonly range: Range;
  readonly descending: boolean | undefined;
  readonly predicates: readonly ((document: Document) => unknown)[];
  readonly isIndexChosen: boolean;
}

/** `ctx.db.query(table)`: each method returns another query, each terminal reads. */
export class TableQueryImplementation implements AsyncIterable<Document> {
  readonly #host: QueryHost;
  readonly #table: Table;
  readonly #state: QueryState;

  constructor(host: QueryHost, table: Table, state?: QueryState) {
    this.#host = host;
    this.#table = table;
    this.#state = state ?? {
      index: table.indexes.get(BY_CREATION) as TableIndex,
      range: WHOLE,
      descending: undefined,
      predicates: [],
      isIndexChosen: false,
    };
  }

  #with(change: Partial<QueryState>): TableQueryImplementation {
    return new TableQueryImplementation(this.#host, this.#table, { ...this.#state, ...change });
  }

  withIndex(name: string, range?: (builder: RangeBuilder) => unknown): TableQueryImplementation {
    const index = this.#table.indexes.get(name);
    if (index === undefined) {
      throw new LunoraError("BAD_REQUEST", `\`${this.#table.name}\` has no index \`${name}\``, {
        data: { table: this.#table.name, index: name },
      });
    }
    if (this.#state.isIndexChosen)
      throw new LunoraError("BAD_REQUEST", "a query walks one index: `withIndex` was called twice");
    const builder = new RangeBuilder(index);
    range?.(builder);
    const { equal, lower, upper } = builder;
    return this.#with({
      index,
      isIndexChosen: true,
      range: { equal, ...(lower && { lower }), ...(upper && { upper }) },
    });
  }

  order(direction: "asc" | "desc"): TableQueryImplementation {
    if (direction !== "asc" && direction !== "desc") {
      throw new LunoraError(
        "BAD_REQUEST",
        `the direction of \`order\` has to be \`asc\` or \`desc\`, not \`${String(direction)}\``,
      );
    }
    return this.#with({ descending: direction === "desc" });
  }

  filter(predicate: (document: Document) => unknown): TableQueryImplementation {
    if (typeof predicate !== "function")
      throw new LunoraError("BAD_REQUEST", "`filter` takes a function from a row to a boolean");
    return this.#with({ predicates: [...this.#state.predicates, predicate] });
  }

  #walk(view: ReadView, limit?: number): Walk {
    const { index, range, descending = false } = this.#state;
    return {
      table: this.#table,
      terms: termsOfIndex(index, descending),
      range,
      sqlIndex: index.sqlName,
      ...selectionOf(this.#table, {}, view),
      limit,
      footprint: view.footprint,
    };
  }

  #reading(): FindHost | Promise<FindHost> {
    this.#host.assertOpen();
    return this.#host.reading();
  }

  /** Not awaited without need: a read comes before the writes that are called after it. */
  async #reads<Result>(read: (host: FindHost) => Result): Promise<Result> {
    const reading = this.#reading();
    return this.#host.read(reading instanceof Promise ? await reading : reading, read);
  }

  #keeps(document: Document): boolean {
    return this.#state.predicates.every((predicate) => Boolean(predicate(document)));
  }

  #read(count: number): Promise<Document[]> {
    return this.#reads((host) => this.#collect(host, count));
  }

  #collect(host: FindHost, count: number): Document[] {
    const storage = storageOf(host, this.#table);
    const kept: Document[] = [];
    if (count === Infinity || this.#state.predicates.length === 0) {
      for (const row of rowsOf(storage, this.#walk(host, count === Infinity ? undefined : count))) {
        const document = decodeRow(this.#table, row);
        if (this.#keeps(document)) kept.push(document);
      }
      return kept;
    }
    if (count === 0) return kept;
    for (const { document } of readAhead(storage, this.#walk(host), count)) {
      if (this.#keeps(document) && kept.push(document) >= count) break;
    }
    return kept;
  }

  async collect(): Promise<Document[]> {
    return this.#read(Infinity);
  }

  async take(count: number): Promise<Document[]> {
    if (!Number.isInteger(count) || count < 0)
      throw new LunoraError("BAD_REQUEST", `\`take\` needs a number of rows, not \`${String(count)}\``);
    return this.#read(count);
  }

  async first(): Promise<Document | null> {
    const [first] = await this.#read(1);
    return first ?? null;
  }

  async unique(): Promise<Document | null> {
    const [only, second] = await this.#read(2);
    if (second !== undefined) {
      throw new LunoraError("NOT_UNIQUE", `\`unique\` found more than one row of \`${this.#table.name}\``, {
        data: { table: this.#table.name },
      });
    }
    return only ?? null;
  }

  async paginate(options: {
    numItems: number;
    cursor?: string | null;
    endCursor?: string | null;
  }): Promise<Page<Document>> {
    return this.#reads((host) => {
      if (typeof options !== "object" || options === null)
        throw new LunoraError("BAD_REQUEST", "`paginate` takes `{ numItems, cursor }`");
      const { index, range, descending = false } = this.#state;
      return readPage(storageOf(host, this.#table), this.#walk(host), {
        query: JSON.stringify([this.#table.name, index.name, descending, range]),
        numItems: options.numItems,
        cursor: options.cursor,
        endCursor: options.endCursor,
        keeps: (document) => this.#keeps(document),
      });
    });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Document> {
    let after: Position | undefined;
    for (;;) {
      const start = after;
      const { terms, rows } = await this.#host.read(await this.#reading(), (host) => {
        const walk = { ...this.#walk(host, ITERATION_ROWS), after: start };
        return { terms: walk.terms, rows: [...rowsOf(storageOf(host, this.#table), walk)] };
      });
      const documents = rows.map((row) => decodeRow(this.#table, row));
      const last = rows.at(-1);
      if (last !== undefined) after = positionOf(terms, documents.at(-1) as Document, last);
      for (const document of documents) if (this.#keeps(document)) yield document;
      if (rows.length < ITERATION_ROWS) return;
    }
  }

  /** The statements that `collect` runs. */
  "~statements"(): Fragment[] {
    return statementsOf(this.#walk({}));
  }
}
