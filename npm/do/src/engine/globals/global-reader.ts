import type { StoredRow } from "../document.ts";
import type { FindHost } from "../find.ts";
import type { Footprint } from "../footprint.ts";
import type { Table } from "../table.ts";
import type { FarRow, Statement } from "./d1-binding.ts";
import { globalTables } from "./global-layout.ts";
import type { GlobalSession } from "./global-session.ts";
import type { GlobalStore } from "./global-store.ts";
import { withoutIndexNames } from "./overlay.ts";
import { replayed } from "./replayed.ts";

export function toFarRow(row: FarRow): StoredRow {
  return {
    id: row["id"] as string,
    creationTime: row["_creationTime"] as number,
    doc: row["doc"] as string,
    keys: (row["keys"] ?? null) as string | null,
  };
}

/** Reads what is committed: the global tables of queries. */
export class GlobalReader implements GlobalSession {
  protected readonly store: GlobalStore;

  constructor(store: GlobalStore) {
    this.store = store;
  }

  protected async ask(statement: Statement): Promise<readonly FarRow[]> {
    return (await this.store.run([statement]))[0] ?? [];
  }

  /** The rows that the statement gives; it reads this table and no other. */
  protected fetch(_table: Table, statement: Statement): Promise<readonly FarRow[]> {
    return this.ask(withoutIndexNames(statement));
  }

  read<Result>(host: FindHost, tables: readonly Table[], read: (host: FindHost) => Result): Promise<Result> {
    for (const { isGlobal, name } of tables) if (isGlobal) host.footprint?.noteTable(name);
    return replayed(
      (table, statement) => this.fetch(table, statement),
      (far) => read({ ...host, rows: undefined, far }),
    );
  }

  async row(table: Table, id: string): Promise<StoredRow | undefined> {
    const [row] = await this.fetch(table, { text: table.rowById, bindings: [id] });
    return row === undefined ? undefined : toFarRow(row);
  }

  async holder(id: string, footprint: Footprint | undefined): Promise<Table | undefined> {
    const tables = globalTables(this.store.schema);
    for (const { name } of tables) footprint?.noteTable(name);
    for (const table of tables) if ((await this.row(table, id)) !== undefined) return table;
    return undefined;
  }

  assertUnique(_table: Table, _row: StoredRow): Promise<void> {
    throw new Error("a query inserts nothing");
  }

  relyOnUnique(): void {}
}
