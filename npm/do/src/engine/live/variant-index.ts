import type { RowChange } from "../footprint.ts";
import type { QueryVariant } from "./query-variant.ts";

/** Finds the variants that changes may matter to, by the tables that they read. */
export class VariantIndex {
  readonly #byTable = new Map<string, Set<QueryVariant>>();
  /** Variants of which it is not known what they read. */
  readonly #unknown = new Set<QueryVariant>();
  readonly #placed = new Map<QueryVariant, readonly string[] | undefined>();

  /** Puts a variant where its footprint says, in place of where it was. */
  place(variant: QueryVariant): void {
    this.remove(variant);
    const { footprint } = variant;
    const tables = footprint === undefined || footprint.readsEverything ? undefined : [...footprint.tables];
    this.#placed.set(variant, tables);
    if (tables === undefined) this.#unknown.add(variant);
    for (const table of tables ?? []) {
      const variants = this.#byTable.get(table);
      if (variants === undefined) this.#byTable.set(table, new Set([variant]));
      else variants.add(variant);
    }
  }

  remove(variant: QueryVariant): void {
    for (const table of this.#placed.get(variant) ?? []) {
      const variants = this.#byTable.get(table);
      variants?.delete(variant);
      if (variants?.size === 0) this.#byTable.delete(table);
    }
    this.#unknown.delete(variant);
    this.#placed.delete(variant);
  }

  /** Whether a variant reads a table of which this is said. */
  reads(isMeant: (table: string) => boolean): boolean {
    for (const table of this.#byTable.keys()) if (isMeant(table)) return true;
    return false;
  }

  /** The variants whose answers the changes may have made old; of the tables in `changed` any row may be another. */
  touchedBy(changes: readonly RowChange[], changed: ReadonlySet<string> = new Set()): QueryVariant[] {
    if ((changes.length === 0 && changed.size === 0) || this.#placed.size === 0) return [];
    const byTable = new Map<string, RowChange[]>();
    for (const change of changes) {
      if (!this.#byTable.has(change.table.name)) continue;
      const ofTable = byTable.get(change.table.name);
      if (ofTable === undefined) byTable.set(change.table.name, [change]);
      else ofTable.push(change);
    }
    const touched = new Set(this.#unknown);
    for (const [table, ofTable] of byTable) {
      for (const variant of this.#byTable.get(table) ?? [])
        if (!touched.has(variant) && variant.footprint?.touches(ofTable) === true) touched.add(variant);
    }
    for (const table of changed) for (const variant of this.#byTable.get(table) ?? []) touched.add(variant);
    return [...touched];
  }
}
