import { LunoraError } from "@lunora/errors";
import type { IndexDefinition, TableDefinition, TriggerHandler, TriggerOperation, TriggerTiming } from "@lunora/server";

import { Column, CREATION_TIME_COLUMN, ID_COLUMN } from "./column.ts";
import type { KeySource } from "./column.ts";
import { quoteName } from "./sql.ts";

/** An index of a table; the walk order is `terms`, all in one direction. */
export interface TableIndex {
  readonly name: string;
  /** Name in SQLite. */
  readonly sqlName: string;
  readonly unique: boolean;
  /** What ranges can be given over. */
  readonly fields: readonly KeySource[];
  /** Fields, then what breaks ties. A unique index ends in SQLite's row number, which only rows with absent values need. */
  readonly terms: readonly KeySource[];
  /** The statement that creates it, compared with the one that SQLite remembers. */
  readonly statement: string;
}

/** SQLite's row number: stable, because a shard never vacuums. */
export const ROW_NUMBER: KeySource = {
  field: "rowid",
  expression: "rowid",
  keyOf: (value) => value as number,
  keyOfOperand: (value) => value as number,
};

export const BY_CREATION = "by_creation";

/** A name that may stand inside a JSON path in a statement. */
const PLAIN_NAME = /^[^"'\\\p{Cc}]+$/u;

const RESERVED_PREFIXES = ["sqlite_", "_cf_", "__"];

/** A table as the store sees it. */
export class Table {
  readonly name: string;
  /** Name in SQLite: its own, but for copies of tables that live elsewhere. */
  readonly stored: string;
  readonly quoted: string;
  readonly definition: TableDefinition;
  /** Its rows are in no object: they are in D1. */
  readonly isGlobal: boolean;
  /** Reads a row by its id; the columns are those of `ROW_COLUMNS`. */
  readonly rowById: string;
  readonly columns: ReadonlyMap<string, Column>;
  /** Columns whose keys are stored beside the document. */
  readonly projected: readonly Column[];
  /** Declared indexes and `by_creation`. */
  readonly indexes: ReadonlyMap<string, TableIndex>;
  /** Changes when the stored keys of all rows have to be computed again. */
  readonly projectionSignature: string;
  /** Finds expired rows; not usable in queries. */
  readonly expiryIndex:
    | { readonly sqlName: string; readonly statement: string; readonly column: KeySource }
    | undefined;
  readonly #triggers: ReadonlyMap<string, readonly TriggerHandler[]>;

  constructor(name: string, definition: TableDefinition, stored: string = name) {
    this.name = name;
    this.stored = stored;
    this.quoted = quoteName(stored);
    this.definition = definition;
    this.isGlobal = definition.shardMode.kind === "global";
    this.rowById = `SELECT id, _creationTime, doc, keys FROM ${this.quoted} WHERE id = ?`;
    if (!PLAIN_NAME.test(name) || RESERVED_PREFIXES.some((prefix) => name.toLowerCase().startsWith(prefix))) {
      throw new LunoraError(
        "SCHEMA_INVALID",
        `\`${name}\` cannot be the name of a table: it is reserved or has a quote or control character`,
      );
    }
    const indexed = new Set(definition.indexes.flatMap(({ fields }) => fields));
    this.columns = new Map(
      Object.entries(definition.columns).map(([field, validator]) => {
        if (!PLAIN_NAME.test(field) || field.startsWith("_")) {
          throw new LunoraError(
            "SCHEMA_INVALID",
            `\`${name}.${field}\` cannot be a column: a name has no quotes and does not begin with \`_\``,
          );
        }
        return [field, new Column(field, validator, indexed.has(field))];
      }),
    );
    this.projected = [...this.columns.values()].filter((column) => column.isProjected);
    this.projectionSignature = this.projected
      .map(({ field, signature }) => `${field}:${signature}`)
      .sort()
      .join(",");
    this.indexes = new Map(
      [{ name: BY_CREATION, fields: [], unique: false }, ...definition.indexes].map((index) => [
        index.name,
        this.#index(index),
      ]),
    );
    this.expiryIndex = this.#expiryIndex();
    const triggers = new Map<string, TriggerHandler[]>();
    for (const { timing, event, handler } of Object.values(definition.triggers)) {
      const key = `${timing} ${event}`;
      triggers.set(key, [...(triggers.get(key) ?? []), handler]);
    }
    this.#triggers = triggers;
  }

  /** Where to read the key of a column, `_id` and `_creationTime` included. */
  source(field: string): KeySource | undefined {
    if (field === "_id") return ID_COLUMN;
    if (field === "_creationTime") return CREATION_TIME_COLUMN;
    return this.columns.get(field);
  }

  triggers(timing: TriggerTiming, event: TriggerOperation): readonly TriggerHandler[] {
    return this.#triggers.get(`${timing} ${event}`) ?? [];
  }

  get hasTriggers(): boolean {
    return this.#triggers.size > 0;
  }

  /** True for rows that are not marked as deleted; absent when rows of this table never are. */
  get liveCondition(): string | undefined {
    const { softDelete } = this.definition;
    if (softDelete === undefined) return undefined;
    const column = this.columns.get(softDelete.field);
    if (column === undefined) {
      throw new LunoraError(
        "SCHEMA_INVALID",
        `\`.softDelete\` of \`${this.name}\` names \`${softDelete.field}\`, which is not a column`,
      );
    }
    return `${column.expression} IS NULL`;
  }

  #index({ name, fields: names, unique }: IndexDefinition): TableIndex {
    const fields = names.map((field) => {
      const source = this.source(field);
      if (source === undefined) {
        throw new LunoraError(
          "SCHEMA_INVALID",
          `index \`${name}\` of \`${this.name}\` names \`${field}\`, which is not a column`,
        );
      }
      return source;
    });
    const ties = unique ? [] : [CREATION_TIME_COLUMN, ID_COLUMN].filter((source) => !fields.includes(source));
    const stored = [...fields, ...ties];
    const sqlName = `${this.stored}__${name}`;
    const list = stored.map(({ expression }) => expression).join(", ");
    return {
      name,
      sqlName,
      unique,
      fields:
        name === BY_CREATION
          ? [CREATION_TIME_COLUMN]
          : fields.includes(CREATION_TIME_COLUMN) || unique
            ? fields
            : [...fields, CREATION_TIME_COLUMN],
      terms: unique ? [...stored, ROW_NUMBER] : stored,
      statement: `CREATE ${unique ? "UNIQUE " : ""}INDEX ${quoteName(sqlName)} ON ${this.quoted}(${list})`,
    };
  }

  #expiryIndex(): Table["expiryIndex"] {
    const { timeToLive } = this.definition;
    if (timeToLive === undefined) return undefined;
    const column = this.source(timeToLive.field);
    if (column === undefined) {
      throw new LunoraError(
        "SCHEMA_INVALID",
        `\`.ttl\` of \`${this.name}\` names \`${timeToLive.field}\`, which is not a column`,
      );
    }
    const sqlName = `${this.stored}__expiry`;
    const live = this.liveCondition;
    const condition = live === undefined ? "" : ` WHERE ${live}`;
    return {
      sqlName,
      column,
      statement: `CREATE INDEX ${quoteName(sqlName)} ON ${this.quoted}(${column.expression})${condition}`,
    };
  }
}
