import { LunoraError } from "@lunora/errors";

import { writeMeta } from "../meta.ts";
import { livesHere } from "../shard-scope.ts";
import type { SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, text, texts } from "./arguments.ts";
import { companionSelects } from "./companions.ts";
import { canonicalRow, pageRange, pageRows } from "./row-pages.ts";
import type { PageRow } from "./row-pages.ts";
import { TableHash } from "./table-hash.ts";
import type { TableProof } from "./table-hash.ts";

const META_PREFIX = "export:";

/** Changed rows that one page puts back. */
const CHANGES = 1_000;

/** Lines of companions in one page. */
const COMPANION_LINES = 500;

/** Where an export of this shard stands. The cut is a position of the op-log, in one timeline. */
interface Lease {
  readonly epoch: string;
  readonly cut: number;
  /** Epoch milliseconds after which nobody waits for it any more. */
  readonly expires: number;
}

/** Which line comes next: of a table, or of what rides along. */
export type ExportPosition =
  | { readonly kind: "rows"; readonly table: string; readonly after: string }
  | { readonly kind: "companions"; readonly after: number };

/** What a page of a shard's export brings. */
export interface ExportPage {
  /** Lines of the dump, each ended. */
  readonly lines: string;
  /** Where the next page starts; `null` after the last. */
  readonly position: ExportPosition | null;
  /** What the lines add to each table. */
  readonly tables: Readonly<Record<string, TableProof>>;
  /** Columns that are stored, that the schema does not have, and that the lines leave out: `table.column`. */
  readonly hidden: readonly string[];
}

/**
 * Exports of one shard, each exactly as the shard was at its cut: the position of the op-log when it began. Rows are
 * read as they are now, page by page, while writes go on; what the log says was changed since the cut is put back
 * to its image before. The log is kept from the first cut on for as long as somebody reads.
 */
export class ShardExports {
  readonly #host: ShardAdminHost;
  readonly #leases = new Map<string, Lease>();
  /** Up to where the log has been noted; after sleep from the cut again, which notes nothing twice. */
  readonly #noted = new Map<string, number>();

  constructor(host: ShardAdminHost) {
    this.#host = host;
    const stored = host.sql
      .exec("SELECT key, value FROM __lunora_meta WHERE key >= ? AND key < ?", META_PREFIX, "export;")
      .toArray();
    for (const row of stored)
      this.#leases.set((row["key"] as string).slice(META_PREFIX.length), JSON.parse(row["value"] as string) as Lease);
    this.#pin();
  }

  /** Whether anybody reads. */
  get isActive(): boolean {
    this.#expire();
    return this.#leases.size > 0;
  }

  /** The next page. The first of a shard makes its cut. */
  async page(argument: unknown): Promise<ExportPage> {
    const fields = fieldsOf(argument);
    const id = text(fields, "id");
    const names = texts(fields, "tables");
    const bytes = positive(fields, "bytes");
    const lease = positive(fields, "lease");
    const given = fields["position"] as ExportPosition | null;
    this.#expire();
    const tables = this.#tables(names);
    let lines = "";
    let position = given;
    if (position === null) {
      const { epoch, cut } = await this.#begin(id, lease);
      lines = `${JSON.stringify({ kind: "shard", name: this.#host.engine.name, epoch, seq: cut })}\n`;
      position = { kind: "rows", table: tables[0]?.name ?? "", after: "" };
    } else this.#renew(id, lease);
    const cut = this.#lease(id).cut;
    const hashes: Record<string, TableHash> = {};
    const hidden = new Set<string>();
    const hash = async (table: string, docs: string[]): Promise<void> => (hashes[table] ??= new TableHash()).add(docs);
    while (position !== null && lines.length < bytes) {
      if (position.kind === "companions") {
        const page = this.#companions(id, position.after);
        lines += page.lines;
        position = page.next === null ? null : { kind: "companions", after: page.next };
      } else {
        const { table: name, after }: { table: string; after: string } = position;
        const place = tables.findIndex((table) => table.name === name);
        const table = tables[place];
        if (table === undefined) {
          position = { kind: "companions", after: 0 };
          continue;
        }
        const missing = new Set<string>();
        const { rows, last } = this.#rowsAtCut(id, cut, table, after, bytes - lines.length);
        const docs = rows.map((row) => canonicalRow(table, row, missing));
        const prefix = `{"table":${JSON.stringify(name)},"doc":`;
        for (const doc of docs) lines += `${prefix}${doc}}\n`;
        for (const field of missing) hidden.add(`${name}.${field}`);
        position =
          last === null
            ? { kind: "rows", table: tables[place + 1]?.name ?? "", after: "" }
            : { kind: "rows", table: name, after: last };
        await hash(name, docs);
      }
    }
    if (position === null) this.end(id);
    const proofs = Object.entries(hashes).map(([name, sum]) => [name, sum.proof()] as const);
    return { lines, position, tables: Object.fromEntries(proofs), hidden: [...hidden] };
  }

  /** Nobody reads this export any more. */
  end(id: string): void {
    const { sql } = this.#host;
    this.#leases.delete(id);
    this.#noted.delete(id);
    sql.exec("DELETE FROM __lunora_meta WHERE key = ?", META_PREFIX + id);
    for (const table of ["__export_change", "__export_companion"])
      if (hasTable(sql, table)) sql.exec(`DELETE FROM ${table} WHERE export_id = ?`, id);
    if (this.#leases.size === 0)
      for (const table of ["__export_change", "__export_companion"]) sql.exec(`DROP TABLE IF EXISTS ${table}`);
    this.#pin();
  }

  #tables(names: readonly string[]): Table[] {
    const { schema, scope } = this.#host.engine.findHost;
    return names.map((name) => schema.table(name)).filter((table) => livesHere(scope, table));
  }

  /** In a turn of its own, so that the cut lies between groups, and what rides along is of the same instant. */
  #begin(id: string, lease: number): Promise<Lease> {
    const { engine, sql } = this.#host;
    return engine.exclusively(async () => {
      this.end(id);
      const now = this.#host.now();
      const begun: Lease = { epoch: engine.log.epoch, cut: engine.log.head, expires: now + lease };
      sql.exec(`CREATE TABLE IF NOT EXISTS __export_change(export_id TEXT NOT NULL, "table" TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL,
          PRIMARY KEY(export_id, "table", id)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS __export_companion(n INTEGER PRIMARY KEY, export_id TEXT NOT NULL, line TEXT NOT NULL)`);
      for (const select of companionSelects(sql, now))
        sql.exec(`INSERT INTO __export_companion(export_id, line) SELECT ?, line FROM (${select})`, id);
      this.#store(id, begun);
      return begun;
    });
  }

  #store(id: string, lease: Lease): void {
    this.#leases.set(id, lease);
    writeMeta(this.#host.sql, META_PREFIX + id, JSON.stringify(lease));
    this.#pin();
  }

  #lease(id: string): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.epoch !== this.#host.engine.log.epoch) {
      throw new LunoraError(
        "EXPORT_EXPIRED",
        `the export of \`${this.#host.engine.name}\` was left for too long, or the shard's timeline is another now: the cut is gone`,
      );
    }
    return lease;
  }

  #renew(id: string, lease: number): void {
    this.#store(id, { ...this.#lease(id), expires: this.#host.now() + lease });
  }

  /** Exports that nobody asked about for as long as they said. */
  #expire(): void {
    const now = this.#host.now();
    for (const [id, { expires }] of this.#leases) if (expires <= now) this.end(id);
  }

  /** The log is kept from the earliest cut on. */
  #pin(): void {
    const { log } = this.#host.engine;
    log.keptFrom = () => {
      const now = this.#host.now();
      let from = Infinity;
      for (const { cut, expires } of this.#leases.values()) if (expires > now) from = Math.min(from, cut + 1);
      return from;
    };
  }

  /** Rows of the cut behind `after`, by id, and where they end. Synchronous: between its reads nothing is written. */
  #rowsAtCut(
    id: string,
    cut: number,
    table: Table,
    after: string,
    bytes: number,
  ): { rows: PageRow[]; last: string | null } {
    const { sql, engine } = this.#host;
    const { storage } = engine.findHost;
    this.#noteChanges(id, cut);
    let { last } = pageRange(storage, table, after, Math.max(bytes, 1));
    const changed = sql
      .exec(
        `SELECT id, seq FROM __export_change WHERE export_id = ?1 AND "table" = ?2 AND id > ?3 AND (?4 IS NULL OR id <= ?4)
          ORDER BY id LIMIT ${CHANGES + 1}`,
        id,
        table.name,
        after,
        last,
      )
      .toArray() as { id: string; seq: number }[];
    const images = new Map<string, PageRow | undefined>();
    let read = 0;
    for (const change of changed) {
      // What was removed since takes no room in the range, so it is counted here.
      if (images.size === CHANGES || read > bytes) {
        last = [...images.keys()].at(-1) as string;
        break;
      }
      const before = imageBefore(sql, change.seq);
      images.set(change.id, before === undefined ? undefined : { id: change.id, ...before });
      read += before?.doc.length ?? 0;
    }
    const rows = new Map(pageRows(storage, table, after, { last }).map((row) => [row.id, row]));
    for (const [changedId, row] of images) {
      if (row === undefined) rows.delete(changedId);
      else rows.set(changedId, row);
    }
    return { rows: [...rows.values()].sort((one, other) => (one.id < other.id ? -1 : 1)), last };
  }

  /** For each row that was changed since the cut, where the log has its first change. */
  #noteChanges(id: string, cut: number): void {
    const { sql, engine } = this.#host;
    const noted = this.#noted.get(id) ?? cut;
    const { head } = engine.log;
    if (head === noted) return;
    sql.exec(
      `INSERT INTO __export_change(export_id, "table", id, seq) SELECT ?, "table", id, min(seq) FROM __cdc_log WHERE seq > ? AND seq <= ?
        GROUP BY "table", id ON CONFLICT DO NOTHING`,
      id,
      noted,
      head,
    );
    this.#noted.set(id, head);
  }

  #companions(id: string, after: number): { lines: string; next: number | null } {
    const rows = this.#host.sql
      .exec(
        `SELECT n, line FROM __export_companion WHERE n > ? AND export_id = ? ORDER BY n LIMIT ${COMPANION_LINES}`,
        after,
        id,
      )
      .toArray();
    const lines = rows.map((row) => `${row["line"] as string}\n`).join("");
    return { lines, next: rows.length < COMPANION_LINES ? null : (rows.at(-1)?.["n"] as number) };
  }
}

function hasTable(storage: SqlStorage, name: string): boolean {
  return storage.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name).toArray().length > 0;
}

/** The row as it was before a change; `undefined` when the change inserted it. */
function imageBefore(storage: SqlStorage, seq: number): { creationTime: number; doc: string } | undefined {
  const [row] = storage.exec("SELECT op, creation_time, before FROM __cdc_log WHERE seq = ?", seq).toArray();
  if (row === undefined || row["op"] === "insert") return undefined;
  const doc =
    (row["before"] as string | null) ??
    storage
      .exec("SELECT text FROM __cdc_chunk WHERE seq = ? AND image = 'before' ORDER BY part", seq)
      .toArray()
      .map((chunk) => chunk["text"] as string)
      .join("");
  return { creationTime: row["creation_time"] as number, doc };
}
