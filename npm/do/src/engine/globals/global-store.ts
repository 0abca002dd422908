import type { Schema } from "../schema.ts";
import type { FarRow, Statement } from "./d1-binding.ts";
import { failureKind } from "./d1-failure.ts";
import type { D1 } from "./d1.ts";
import { applyGlobalSchema } from "./global-layout.ts";

/** Schemas whose tables are known to be there. Objects of one isolate share the knowledge, but wait each for itself. */
const ready = new WeakSet<Schema>();

/** The database, with its tables: they are made when it is first asked. */
export class GlobalStore {
  readonly #d1: D1;
  readonly schema: Schema;
  #preparing: Promise<void> | undefined;

  constructor(d1: D1, schema: Schema) {
    this.#d1 = d1;
    this.schema = schema;
  }

  /** As `D1.run`, of statements over the tables of the schema. */
  async run(statements: readonly Statement[]): Promise<readonly (readonly FarRow[])[]> {
    await this.#prepare();
    try {
      return await this.#d1.run(statements);
    } catch (error) {
      if (failureKind(error) !== "layout") throw error;
      // Somebody has emptied the database.
      ready.delete(this.schema);
      await this.#prepare();
      return this.#d1.run(statements);
    }
  }

  #prepare(): Promise<void> | undefined {
    if (ready.has(this.schema)) return undefined;
    this.#preparing ??= this.#apply();
    return this.#preparing;
  }

  async #apply(): Promise<void> {
    try {
      await applyGlobalSchema((statements) => this.#d1.run(statements), this.schema);
      ready.add(this.schema);
    } finally {
      this.#preparing = undefined;
    }
  }
}
