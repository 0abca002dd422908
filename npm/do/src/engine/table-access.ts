import { LunoraError } from "@lunora/errors";

import { deleteRow, restoreRow } from "./delete-row.ts";
import { decodeRow } from "./document.ts";
import type { Document, StoredRow } from "./document.ts";
import { count, exists, findFirst, findMany, idsWhere } from "./find.ts";
import type { FindHost, FindOptions } from "./find.ts";
import { relatedTables } from "./load-relations.ts";
import type { Page } from "./paginate.ts";
import { rowMeets } from "./row-access.ts";
import type { RowAccess } from "./row-access.ts";
import { readRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { assertIdHere, assertReachable } from "./shard-scope.ts";
import type { Table } from "./table.ts";
import type { DatabaseFactory } from "./triggers.ts";
import { insertRow, patchRow, replaceRow } from "./write-row.ts";
import type { WriteHost } from "./write-row.ts";

function isDuplicate(error: unknown): boolean {
  return error instanceof LunoraError && error.code === "NOT_UNIQUE";
}

function checkList(list: unknown, method: string): readonly unknown[] {
  if (!Array.isArray(list)) throw new LunoraError("BAD_REQUEST", `\`${method}\` takes an array`);
  return list;
}

/** An id is text; anything else is a mistake that deserves its name. */
export function checkId(id: unknown): string {
  if (typeof id !== "string" || id === "")
    throw new LunoraError("BAD_REQUEST", `an id is a string, not ${id === null ? "null" : typeof id}`);
  return id;
}

/** One table of `ctx.db`: reads, and in a mutation writes. */
export class TableAccess {
  readonly #session: Session;
  readonly #table: Table;
  readonly #access: RowAccess;
  readonly #host: WriteHost;

  constructor(session: Session, createDatabase: DatabaseFactory, access: RowAccess, table: Table) {
    this.#session = session;
    this.#table = table;
    this.#access = access;
    this.#host = { session, createDatabase, guard: access.isGuarded ? access : undefined };
  }

  /** This table, and those that `with` names. */
  #tables(options: unknown): Table[] {
    this.#session.assertOpen();
    const { schema, scope } = this.#session.facts.host;
    assertReachable(scope, this.#table);
    const wanted = typeof options === "object" && options !== null ? (options as FindOptions).with : undefined;
    return wanted === undefined ? [this.#table] : [this.#table, ...relatedTables(schema, this.#table, wanted)];
  }

  /** Reads at once where no policy has to be asked first: a read comes before the writes that are called after it. */
  async #read<Result>(read: (host: FindHost) => Result, options?: unknown): Promise<Result> {
    const tables = this.#tables(options);
    const reading = this.#access.reading(tables);
    return this.#session.read(reading instanceof Promise ? await reading : reading, tables, read);
  }

  /** Reads for the store itself, whatever policies say. */
  #readAll<Result>(read: (host: FindHost) => Result): Result | Promise<Result> {
    return this.#session.read(this.#session.facts.host, [this.#table], read);
  }

  async get(id: unknown): Promise<Document | null> {
    return this.#read((host) => this.#get(host, checkId(id)));
  }

  #get(host: FindHost, id: string): Document | null {
    const { storage, scope, footprint, visible } = host;
    assertIdHere(scope, this.#table, id);
    footprint?.notePoint(this.#table, id);
    const row = readRow(host, this.#table, id);
    if (row === undefined) return null;
    const condition = visible?.get(this.#table);
    const isHidden =
      condition === false || (condition !== undefined && !rowMeets(storage, this.#table, row, condition));
    return isHidden ? null : decodeRow(this.#table, row);
  }

  async findMany(options?: unknown): Promise<Document[] | Page<Document>> {
    return this.#read((host) => findMany(host, this.#table, options), options);
  }

  async findFirst(options?: unknown): Promise<Document | null> {
    return this.#read((host) => findFirst(host, this.#table, options), options);
  }

  async exists(options?: unknown): Promise<boolean> {
    return this.#read((host) => exists(host, this.#table, options));
  }

  async count(options?: unknown): Promise<number> {
    return this.#read((host) => count(host, this.#table, options));
  }

  /** Inserts; a duplicate that is to be skipped is `null`, and what it wrote is taken back. */
  async #insert(document: unknown, skipDuplicates: boolean): Promise<string | null> {
    if (!skipDuplicates) return insertRow(this.#host, this.#table, document);
    const { commit, facts } = this.#session;
    const globals = this.#table.isGlobal ? facts.globals : undefined;
    const admit = globals && ((table: Table, row: StoredRow): Promise<void> => globals.assertUnique(table, row));
    const mark = commit.mark();
    try {
      return await insertRow({ ...this.#host, admit }, this.#table, document);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      commit.undo(mark);
      return null;
    }
  }

  async insert(document: unknown, options: { skipDuplicates?: boolean } = {}): Promise<string | null> {
    return this.#session.exclusive(() => this.#insert(document, options.skipDuplicates === true));
  }

  async insertMany(documents: unknown, options: { skipDuplicates?: boolean } = {}): Promise<(string | null)[]> {
    return this.#session.exclusive(async () => {
      const ids: (string | null)[] = [];
      for (const document of checkList(documents, "insertMany"))
        ids.push(await this.#insert(document, options.skipDuplicates === true));
      return ids;
    });
  }

  async upsert(options: {
    target: unknown;
    create: Record<string, unknown>;
    update: unknown;
  }): Promise<{ id: string; created: boolean }> {
    return this.#session.exclusive(async () => {
      assertReachable(this.#session.facts.host.scope, this.#table);
      const { target, create, update } = options;
      const fields: readonly unknown[] = Array.isArray(target) ? target : [target];
      if (fields.length === 0 || typeof create !== "object" || create === null) {
        throw new LunoraError(
          "BAD_REQUEST",
          "`upsert` takes `{ target, create, update }` with at least one field in `target`",
        );
      }
      const where = Object.fromEntries(fields.map((field) => [String(field), { eq: create[String(field)] ?? null }]));
      if (this.#table.isGlobal) this.#session.facts.globals?.relyOnUnique();
      const found = this.#readAll((host) => idsWhere(host, this.#table, where));
      const ids = found instanceof Promise ? await found : found;
      if (ids.length > 1) {
        throw new LunoraError(
          "NOT_UNIQUE",
          `\`upsert\` found ${ids.length} rows of \`${this.#table.name}\` with the same ${fields.map((field) => `\`${String(field)}\``).join(", ")}`,
          {
            data: { table: this.#table.name, fields },
          },
        );
      }
      const [id] = ids;
      if (id === undefined) return { id: await insertRow(this.#host, this.#table, create), created: true };
      await patchRow(this.#host, this.#table, id, update);
      return { id, created: false };
    });
  }

  async patch(id: unknown, patch: unknown): Promise<void> {
    return this.#session.exclusive(() => patchRow(this.#host, this.#table, checkId(id), patch));
  }

  async patchMany(changes: unknown): Promise<void> {
    return this.#session.exclusive(async () => {
      for (const change of checkList(changes, "patchMany")) {
        const { id, patch } = (change ?? {}) as { id?: unknown; patch?: unknown };
        await patchRow(this.#host, this.#table, checkId(id), patch);
      }
    });
  }

  async patchWhere(options: { where?: unknown; patch?: unknown }): Promise<number> {
    return this.#session.exclusive(async () => {
      const ids = await this.#idsWhere(options, "patchWhere");
      for (const id of ids) await patchRow(this.#host, this.#table, id, options.patch);
      return ids.length;
    });
  }

  /** A `where` that was forgotten must not mean every row. */
  async #idsWhere(options: { where?: unknown }, method: string): Promise<string[]> {
    assertReachable(this.#session.facts.host.scope, this.#table);
    if (typeof options !== "object" || options === null || options.where === undefined) {
      throw new LunoraError("BAD_REQUEST", `\`${method}\` takes \`where\`; \`{}\` means every row`);
    }
    return this.#read((host) => idsWhere(host, this.#table, options.where));
  }

  async replace(id: unknown, document: unknown): Promise<void> {
    return this.#session.exclusive(() => replaceRow(this.#host, this.#table, checkId(id), document));
  }

  async delete(id: unknown): Promise<void> {
    return this.#session.exclusive(() => deleteRow(this.#host, this.#table, checkId(id)));
  }

  async deleteMany(ids: unknown): Promise<void> {
    return this.#session.exclusive(async () => {
      for (const id of checkList(ids, "deleteMany")) await deleteRow(this.#host, this.#table, checkId(id));
    });
  }

  async deleteWhere(options: { where?: unknown }): Promise<number> {
    return this.#session.exclusive(async () => {
      let removed = 0;
      for (const id of await this.#idsWhere(options, "deleteWhere")) {
        // A cascade of a row before may have taken this one along.
        const row = this.#session.row(this.#table, id);
        if ((row instanceof Promise ? await row : row) === undefined) continue;
        if (!(await this.#deleteIfLive(id))) continue;
        removed += 1;
      }
      return removed;
    });
  }

  async #deleteIfLive(id: string): Promise<boolean> {
    const found = this.#readAll((host) => exists(host, this.#table, { where: { _id: id } }));
    const isLive = found instanceof Promise ? await found : found;
    if (isLive) await deleteRow(this.#host, this.#table, id);
    return isLive;
  }

  async restore(id: unknown): Promise<void> {
    return this.#session.exclusive(() => restoreRow(this.#host, this.#table, checkId(id)));
  }

  async hardDelete(id: unknown): Promise<void> {
    return this.#session.exclusive(() => deleteRow(this.#host, this.#table, checkId(id), "hard"));
  }
}
