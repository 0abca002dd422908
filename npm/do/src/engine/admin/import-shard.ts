import { LunoraError } from "@lunora/errors";

import { readMeta, writeMeta } from "../meta.ts";
import { livesHere } from "../shard-scope.ts";
import { applyIndexes, dropIndexes } from "../storage-layout.ts";
import type { Table } from "../table.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, text } from "./arguments.ts";
import { COMPANIONS, NOT_MERGED, writeCompanion } from "./companions.ts";
import type { CompanionRow } from "./companions.ts";
import { importedRow } from "./imported-row.ts";
import { parseLines } from "./import-lines.ts";

const META = "import";

/** What an import does with rows that are there. */
export type ImportMode = "empty" | "merge" | "replace";

/** The import that a shard takes part in. */
interface Pending {
  readonly id: string;
  readonly mode: ImportMode;
  readonly tables: readonly string[];
  /** How the keys of each table were made that are staged. */
  readonly projections: Readonly<Record<string, string>>;
}

/** How the registry decided, or that it has not. */
export interface ImportRecord {
  readonly id: string;
  readonly mode: ImportMode;
  readonly tables: readonly string[];
  readonly state: "open" | "committed" | "aborted";
}

/** Thrown to take a rehearsal back. */
const REHEARSAL = Symbol("rehearsal");

/**
 * An import into one shard. Rows are staged beside the tables; the registry alone says whether they come to count. Until
 * it has said so the shard answers nobody; once it has, what is staged moves in one transaction, whenever the shard is
 * reached next, and the shard's timeline is another.
 */
export class ShardImport {
  readonly #host: ShardAdminHost;
  readonly #isExporting: () => boolean;
  #pending: Pending | undefined;

  constructor(host: ShardAdminHost, isExporting: () => boolean) {
    this.#host = host;
    this.#isExporting = isExporting;
    const stored = readMeta(host.sql, META);
    if (stored !== undefined && stored !== "") this.#pending = JSON.parse(stored) as Pending;
  }

  /** Asks the registry what has become of the import that this shard takes part in. */
  gate(): Promise<void> | undefined {
    return this.#pending === undefined ? undefined : this.#settle(this.#pending);
  }

  async #settle(pending: Pending): Promise<void> {
    const { state } = await this.#host.registry<Pick<ImportRecord, "state">>("importState", { id: pending.id });
    // Somebody else may have come to the same end meanwhile.
    if (this.#pending !== pending) return;
    if (state === "committed") return this.#apply(pending);
    if (state === "aborted") return this.#forget();
    throw new LunoraError("IMPORT_IN_PROGRESS", `rows are being imported into \`${this.#host.engine.name}\``, {
      hint: "Wait until the import has ended; one that was left ends by itself within an hour.",
    });
  }

  /** Takes part in the import: the record is the registry's. Refused where rows are that the import does not expect. */
  async begin(record: ImportRecord): Promise<void> {
    const { engine, sql } = this.#host;
    if (this.#pending?.id === record.id) return;
    await this.gate();
    await engine.exclusively(async () => {
      if (record.mode === "empty") this.#assertEmpty(record.tables);
      if (this.#isExporting()) {
        throw new LunoraError("CONFLICT", `\`${engine.name}\` is being exported; wait until the export has ended`);
      }
      const projections = Object.fromEntries(
        this.#here(record.tables).map((table) => [table.name, table.projectionSignature]),
      );
      const pending: Pending = { id: record.id, mode: record.mode, tables: record.tables, projections };
      this.#dropStaged();
      sql.exec(`CREATE TABLE __import_row("table" TEXT NOT NULL, id TEXT NOT NULL, line INTEGER NOT NULL, _creationTime REAL NOT NULL,
          doc TEXT NOT NULL, keys TEXT, PRIMARY KEY("table", id)) WITHOUT ROWID;
        CREATE TABLE __import_companion(line INTEGER PRIMARY KEY, "table" TEXT NOT NULL, row TEXT NOT NULL)`);
      writeMeta(sql, META, JSON.stringify(pending));
      writeMeta(sql, "registered", "1");
      this.#pending = pending;
      engine.dropSockets();
    });
    await this.#host.sync();
  }

  #assertEmpty(tables: readonly string[]): void {
    const { sql, engine } = this.#host;
    for (const table of this.#here(tables)) {
      if (sql.exec(`SELECT 1 FROM ${table.quoted} LIMIT 1`).toArray().length === 0) continue;
      throw new LunoraError("IMPORT_TARGET_NOT_EMPTY", `\`${table.name}\` has rows already in \`${engine.name}\``, {
        data: { table: table.name, shard: engine.name },
        hint: "Say `--merge` to add the dump's rows to those, or `--replace` to put them in their place.",
      });
    }
  }

  #here(names: readonly string[]): Table[] {
    const { schema, scope } = this.#host.engine.findHost;
    return names.flatMap((name) => schema.tables.get(name) ?? []).filter((table) => livesHere(scope, table));
  }

  #assertPending(id: string): Pending {
    if (this.#pending?.id === id) return this.#pending;
    throw new LunoraError("IMPORT_NOT_OPEN", `\`${this.#host.engine.name}\` takes no part in this import`);
  }

  /** Stages lines of the dump. The same lines again change nothing. */
  async rows(argument: unknown): Promise<{ rows: number }> {
    const fields = fieldsOf(argument);
    const pending = this.#assertPending(text(fields, "id"));
    const { sql, engine, transactionSync } = this.#host;
    const lines = parseLines(text(fields, "lines"));
    const { schema, scope } = engine.findHost;
    let rows = 0;
    transactionSync(() => {
      for (const { number, line } of lines) {
        if (line.kind === "companion") {
          sql.exec(
            `INSERT INTO __import_companion(line, "table", row) VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET "table" = excluded."table", row = excluded.row`,
            number,
            line.table,
            JSON.stringify(line.row),
          );
          continue;
        }
        const row = importedRow(schema, scope, pending.tables, number, line);
        const { rowsWritten } = sql.exec(
          `INSERT INTO __import_row("table", id, line, _creationTime, doc, keys) VALUES(?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET doc = excluded.doc WHERE __import_row.line = excluded.line`,
          line.table,
          row.id,
          number,
          row.creationTime,
          row.doc,
          row.keys,
        );
        if (rowsWritten === 0) {
          throw new LunoraError(
            "IMPORT_ROW_REFUSED",
            `line ${number}: the dump has a row of \`${line.table}\` with this id already`,
            {
              data: { line: number, table: line.table, id: row.id },
            },
          );
        }
        rows += 1;
      }
    });
    await this.#host.sync();
    return { rows };
  }

  /** Does everything that a commit will do, and takes it back: what could refuse it refuses now. */
  prepare(id: string): void {
    const pending = this.#assertPending(id);
    try {
      this.#host.transactionSync(() => {
        this.#move(pending);
        throw REHEARSAL;
      });
    } catch (error) {
      if (error !== REHEARSAL) throw error;
    }
  }

  /** The registry has committed: what is staged counts. */
  async finish(id: string): Promise<void> {
    if (this.#pending?.id !== id) return;
    await this.gate();
  }

  /** The registry has given the import up. */
  async abort(id: string): Promise<void> {
    if (this.#pending?.id !== id) return;
    await this.gate();
  }

  async #apply(pending: Pending): Promise<void> {
    const { engine, sql, transactionSync } = this.#host;
    transactionSync(() => {
      this.#move(pending);
      engine.log.renewEpoch();
      this.#dropStaged();
      writeMeta(sql, META, "");
    });
    this.#pending = undefined;
    await this.#host.sync();
    this.#host.reopen();
  }

  async #forget(): Promise<void> {
    this.#host.transactionSync(() => {
      this.#dropStaged();
      writeMeta(this.#host.sql, META, "");
    });
    this.#pending = undefined;
    await this.#host.sync();
  }

  #dropStaged(): void {
    this.#host.sql.exec("DROP TABLE IF EXISTS __import_row; DROP TABLE IF EXISTS __import_companion");
  }

  /** Staged rows into their tables, whose indexes are built again at once: sorted, which costs less than row by row. */
  #move({ mode, tables, projections }: Pending): void {
    const { sql } = this.#host;
    for (const table of this.#here(tables)) {
      dropIndexes(sql, table, () => true);
      if (mode === "replace") sql.exec(`DELETE FROM ${table.quoted}`);
      sql.exec(
        `INSERT INTO ${table.quoted}(id, _creationTime, doc, keys) SELECT id, _creationTime, doc, keys FROM __import_row WHERE "table" = ? ORDER BY id
          ON CONFLICT(id) DO UPDATE SET _creationTime = excluded._creationTime, doc = excluded.doc, keys = excluded.keys`,
        table.name,
      );
      applyIndexes(sql, table);
      // Staged under another schema: the keys are computed again when the shard opens.
      if (projections[table.name] !== table.projectionSignature) writeMeta(sql, `projections:${table.name}`, "stale");
    }
    for (const row of sql.exec(`SELECT "table", row FROM __import_companion ORDER BY line`).toArray()) {
      const table = row["table"] as string;
      if (mode === "merge" && table === NOT_MERGED) continue;
      if (COMPANIONS.includes(table)) writeCompanion(sql, table, JSON.parse(row["row"] as string) as CompanionRow);
    }
  }
}
