import { LunoraError } from "@lunora/errors";
import { hasPolicy, policyCondition } from "@lunora/server";
import type { PolicyCondition, PolicyFacts, PolicyOperation, PolicyRules } from "@lunora/server";

import { decodeRow } from "./document.ts";
import type { StoredRow } from "./document.ts";
import type { FindHost } from "./find.ts";
import type { Session } from "./session.ts";
import { clauses, run, slot, sql } from "./statement.ts";
import type { SqlStorage } from "./sql.ts";
import type { Table } from "./table.ts";
import type { DatabaseFactory } from "./triggers.ts";
import { compileWhere } from "./where.ts";

/** Whether a row that need not be stored meets a condition. */
export function rowMeets(storage: SqlStorage, table: Table, row: StoredRow, where: unknown): boolean {
  const condition = compileWhere(table, where);
  if (condition === undefined) return true;
  const image = sql`SELECT 1 FROM (SELECT ${slot(row.id)} AS id, ${slot(row.creationTime)} AS _creationTime, ${slot(row.doc)} AS doc, ${slot(row.keys)} AS keys)`;
  return run(storage, clauses(image, sql`WHERE ${condition}`)).toArray().length > 0;
}

/** What one `ctx.db` may see and write: the policies it is under. */
export class RowAccess {
  readonly #session: Session;
  readonly #createDatabase: DatabaseFactory;
  readonly #rules: readonly PolicyRules[];
  /** The store's own, triggers and what policies read with: no policy is asked, none is required. */
  readonly #isSystem: boolean;
  /** Read conditions of a query, in which nothing changes. */
  readonly #known = new Map<Table, PolicyCondition>();

  private constructor(
    session: Session,
    createDatabase: DatabaseFactory,
    rules: readonly PolicyRules[],
    isSystem: boolean,
  ) {
    this.#session = session;
    this.#createDatabase = createDatabase;
    this.#rules = rules;
    this.#isSystem = isSystem;
  }

  /** Of a function: under no policy until `rls` says so. */
  static ofFunction(session: Session, createDatabase: DatabaseFactory): RowAccess {
    return new RowAccess(session, createDatabase, [], false);
  }

  /** Of the store itself. */
  static ofSystem(session: Session, createDatabase: DatabaseFactory): RowAccess {
    return new RowAccess(session, createDatabase, [], true);
  }

  /** The same under more policies. */
  restrictedBy(rules: PolicyRules): RowAccess {
    return new RowAccess(this.#session, this.#createDatabase, [...this.#rules, rules], this.#isSystem);
  }

  #require(table: Table, on: PolicyOperation): void {
    const { schema } = this.#session.facts.host;
    if (!schema.needsPolicies || this.#isSystem || table.definition.isPublic) return;
    if (hasPolicy(this.#rules, table.name, on)) return;
    throw new LunoraError(
      "RLS_REQUIRED",
      `the function has no policy for \`${on}\` of \`${table.name}\`, and the schema says \`.rls("required")\``,
      { data: { table: table.name, operation: on } },
    );
  }

  /** How reads of these tables are to be made. A promise only where a policy has to be asked. */
  reading(tables: readonly Table[]): FindHost | Promise<FindHost> {
    for (const table of tables) this.#require(table, "read");
    const { reads } = this.#session;
    const restricted = tables.filter((table) => hasPolicy(this.#rules, table.name, "read"));
    return restricted.length === 0 ? reads : this.#readingUnder(reads, restricted);
  }

  async #readingUnder(reads: FindHost, tables: readonly Table[]): Promise<FindHost> {
    const conditions = new Map<Table, PolicyCondition>();
    for (const table of tables) conditions.set(table, await this.#readCondition(table));
    this.#session.assertOpen();
    return { ...reads, visible: conditions };
  }

  async #readCondition(table: Table): Promise<PolicyCondition> {
    if (this.#known.has(table)) return this.#known.get(table);
    const condition = await this.#condition(table, "read", undefined);
    // A mutation may change what its policies depend on.
    if (this.#session.facts.commit === undefined) this.#known.set(table, condition);
    return condition;
  }

  async #condition(table: Table, on: PolicyOperation, row: StoredRow | undefined): Promise<PolicyCondition> {
    const session = this.#session.readOnlyChild();
    const { footprint, auth } = session.facts;
    const facts: PolicyFacts = {
      identity: () => {
        footprint?.noteIdentity();
        return auth.identity ?? null;
      },
      db: this.#createDatabase(session, RowAccess.ofSystem(session, this.#createDatabase)),
    };
    try {
      return await policyCondition(
        this.#rules,
        table.name,
        on,
        facts,
        row === undefined ? undefined : decodeRow(table, row),
      );
    } finally {
      await session.settle();
    }
  }

  /** Whether {@link checkWrite} has anything to ask. */
  get isGuarded(): boolean {
    return !this.#isSystem && (this.#rules.length > 0 || this.#session.facts.host.schema.needsPolicies);
  }

  /**
   * Refuses with `FORBIDDEN` a write that the policies do not allow, and a change of a row that may
   * not be read. An update has to be allowed for the row as it is and as it will be.
   */
  async checkWrite(
    on: Exclude<PolicyOperation, "read">,
    table: Table,
    before: StoredRow | undefined,
    after: StoredRow | undefined,
  ): Promise<void> {
    this.#require(table, on);
    if (before !== undefined) {
      this.#assertMeets(on, table, before, await this.#condition(table, "read", undefined));
      this.#assertMeets(on, table, before, await this.#condition(table, on, before));
    }
    if (after !== undefined) this.#assertMeets(on, table, after, await this.#condition(table, on, after));
    this.#session.assertOpen();
  }

  /** Whether the caller would find the row. */
  async mayRead(table: Table, row: StoredRow): Promise<boolean> {
    const { host } = this.#session.facts;
    if (host.schema.needsPolicies && !table.definition.isPublic && !hasPolicy(this.#rules, table.name, "read"))
      return false;
    const condition = await this.#condition(table, "read", undefined);
    return condition === undefined || (condition !== false && rowMeets(host.storage, table, row, condition));
  }

  #assertMeets(on: PolicyOperation, table: Table, row: StoredRow, condition: PolicyCondition): void {
    if (condition === undefined) return;
    if (condition !== false && rowMeets(this.#session.facts.host.storage, table, row, condition)) return;
    throw new LunoraError("FORBIDDEN", `the policies of \`${table.name}\` do not allow the caller to ${on} this row`, {
      data: { table: table.name, operation: on },
    });
  }
}
