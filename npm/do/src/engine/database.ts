import { LunoraError } from "@lunora/errors";
import { decodeIdShard, hasIdForm } from "@lunora/protocol";
import { RESTRICT } from "@lunora/server";
import type { PolicyRules, RestrictableDatabase } from "@lunora/server";

import type { Document } from "./document.ts";
import { RowAccess } from "./row-access.ts";
import { readRow } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Session } from "./session.ts";
import { assertReachable, livesHere } from "./shard-scope.ts";
import { checkId, TableAccess } from "./table-access.ts";
import { TableQueryImplementation } from "./table-query.ts";
import type { Table } from "./table.ts";
import type { DatabaseFactory } from "./triggers.ts";

/** `ctx.db`. In a query its writing methods refuse. */
class Database implements RestrictableDatabase {
  readonly #session: Session;
  readonly #createDatabase: DatabaseFactory;
  readonly #rows: RowAccess;

  constructor(session: Session, createDatabase: DatabaseFactory, access?: RowAccess) {
    this.#session = session;
    this.#createDatabase = createDatabase;
    this.#rows = access ?? RowAccess.ofFunction(session, createDatabase);
  }

  /** The same database under more policies. */
  [RESTRICT](rules: PolicyRules): object {
    return this.#createDatabase(this.#session, this.#rows.restrictedBy(rules));
  }

  /** One table, as the accessors give it. */
  "~access"(table: Table): TableAccess {
    return new TableAccess(this.#session, this.#createDatabase, this.#rows, table);
  }

  #named(name: unknown): Table {
    return this.#session.facts.host.schema.table(String(name));
  }

  /** The table that has a row with this id: ids do not name their table. */
  #probe(id: unknown): Table | undefined | Promise<Table | undefined> {
    this.#session.assertOpen();
    const { host, globals, footprint } = this.#session.facts;
    const { schema, scope } = host;
    const text = checkId(id);
    const shard = decodeIdShard(text);
    if (shard !== scope.value) {
      if (shard === null && globals !== undefined) return globals.holder(text, footprint);
      throw new LunoraError("SHARD_MISMATCH", `the id names a row in another shard than \`${scope.name}\``, {
        data: { shard: scope.name },
      });
    }
    for (const table of schema.tables.values()) {
      if (!livesHere(scope, table)) continue;
      footprint?.notePoint(table, text);
      if (readRow(host, table, text) !== undefined) return table;
    }
    return globals?.holder(text, footprint);
  }

  /** Does it to the row with this id; at once unless the row may be in a global table. */
  #at(id: unknown, run: (access: TableAccess) => Promise<void>): Promise<void> {
    const found = (table: Table | undefined): Promise<void> => {
      if (table === undefined)
        throw new LunoraError("NOT_FOUND", "no table of this shard has a row with this id", { data: { id } });
      return run(this["~access"](table));
    };
    const probe = this.#probe(id);
    return probe instanceof Promise ? probe.then(found) : found(probe);
  }

  async get(...args: unknown[]): Promise<Document | null> {
    if (args.length > 1) return this["~access"](this.#named(args[0])).get(args[1]);
    const probe = this.#probe(args[0]);
    const table = probe instanceof Promise ? await probe : probe;
    return table === undefined ? null : this["~access"](table).get(args[0]);
  }

  query(name: unknown): TableQueryImplementation {
    this.#session.assertOpen();
    const table = this.#named(name);
    const { host } = this.#session.facts;
    assertReachable(host.scope, table);
    return new TableQueryImplementation(
      {
        assertOpen: () => this.#session.assertOpen(),
        reading: () => this.#rows.reading([table]),
        read: (view, read) => this.#session.read(view, [table], read),
      },
      table,
    );
  }

  normalizeId(name: unknown, id: unknown): string | null {
    const { shardMode } = this.#named(name).definition;
    const { scope } = this.#session.facts.host;
    const isSharded = shardMode.kind === "shardBy" || (shardMode.kind === "colocated" && scope.value !== null);
    return typeof id === "string" && hasIdForm(id, isSharded) ? id : null;
  }

  asId(name: unknown, id: unknown): string {
    const normal = this.normalizeId(name, id);
    if (normal === null)
      throw new LunoraError("BAD_REQUEST", `the value does not have the form of an id of \`${String(name)}\``, {
        data: { table: String(name) },
      });
    return normal;
  }

  async insert(name: unknown, document: unknown): Promise<string> {
    return (await this["~access"](this.#named(name)).insert(document)) as string;
  }

  async patch(...args: unknown[]): Promise<void> {
    if (args.length > 2) return this["~access"](this.#named(args[0])).patch(args[1], args[2]);
    return this.#at(args[0], (access) => access.patch(args[0], args[1]));
  }

  async replace(...args: unknown[]): Promise<void> {
    if (args.length > 2) return this["~access"](this.#named(args[0])).replace(args[1], args[2]);
    return this.#at(args[0], (access) => access.replace(args[0], args[1]));
  }

  async delete(...args: unknown[]): Promise<void> {
    if (args.length > 1) return this["~access"](this.#named(args[0])).delete(args[1]);
    return this.#at(args[0], (access) => access.delete(args[0]));
  }
}

/** Makes `ctx.db` objects. The accessors stand on a prototype, so that a call does not pay for each table. */
export function databaseFactory(schema: Schema): DatabaseFactory {
  class SchemaDatabase extends Database {}
  for (const table of schema.tables.values()) {
    if (table.name in SchemaDatabase.prototype) continue;
    Object.defineProperty(SchemaDatabase.prototype, table.name, {
      enumerable: true,
      get(this: SchemaDatabase): TableAccess {
        return this["~access"](table);
      },
    });
  }
  const create: DatabaseFactory = (session, access) =>
    new SchemaDatabase(session, create, access) as unknown as ReturnType<DatabaseFactory>;
  return create;
}
