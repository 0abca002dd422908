import { LunoraError } from "@lunora/errors";
import type { Identity } from "@lunora/server";

import type { Commit } from "./commit.ts";
import type { StoredRow } from "./document.ts";
import type { FindHost } from "./find.ts";
import type { Footprint } from "./footprint.ts";
import type { GlobalSession } from "./globals/global-session.ts";
import { readRow } from "./rows.ts";
import type { ScheduleOutbox } from "./scheduling/schedule-outbox.ts";
import type { Table } from "./table.ts";

/** Deepest chain of triggers and of functions that call functions. */
const DEPTH = 16;

/** What all sessions of a call share. */
export interface SessionFacts {
  readonly host: FindHost;
  /** Absent where nothing may be written. */
  readonly commit?: Commit | undefined;
  readonly auth: { readonly userId: string | null; readonly identity?: Identity | null };
  /** Where reads are noted; absent where nobody wants to know. */
  readonly footprint?: Footprint | undefined;
  /** Epoch milliseconds, read once for the call. */
  readonly now: number;
  /** A creation time that no row of the shard has, later than all. */
  readonly nextCreationTime: () => number;
  /** Where jobs go; absent in an app that schedules nothing. */
  readonly outbox?: ScheduleOutbox | undefined;
  /** The job of the scheduler that the call is. */
  readonly jobId?: string | undefined;
  /** The id of the next row that is inserted into the table; random when absent. */
  readonly newId?: ((table: Table) => string) | undefined;
  /** How `.global()` tables are reached; absent in an app that has none. */
  readonly globals?: GlobalSession | undefined;
}

/**
 * The life of one `ctx.db`: from the start of a handler until it settles. Writes take turns, so
 * that a write with triggers is whole before the next one begins, also under `Promise.all`.
 */
export class Session {
  readonly facts: SessionFacts;
  /** How rows are found, policies aside. */
  readonly reads: FindHost;
  readonly #parent: Session | undefined;
  readonly #depth: number;
  #hasSettled = false;
  #isAborted = false;
  #pending = 0;
  #lateFailure: { readonly error: unknown } | undefined;
  #tail: Promise<void> | undefined;

  constructor(facts: SessionFacts, parent?: Session) {
    this.facts = facts;
    this.reads = facts.footprint === undefined ? facts.host : { ...facts.host, footprint: facts.footprint };
    this.#parent = parent;
    this.#depth = parent === undefined ? 0 : parent.#depth + 1;
    if (this.#depth > DEPTH) {
      throw new LunoraError(
        "RUN_DEPTH_EXCEEDED",
        `triggers and functions call each other more than ${DEPTH} levels deep`,
      );
    }
  }

  /** A session for a trigger or a nested function: same transaction, own life. */
  child(): Session {
    return new Session(this.facts, this);
  }

  /** Nested read-only functions see what is written so far but write nothing. */
  readOnlyChild(): Session {
    return new Session({ ...this.facts, commit: undefined }, this);
  }

  get #isDead(): boolean {
    return this.#isAborted || (this.#parent !== undefined && this.#parent.#isDead);
  }

  /** A nested query that was not awaited must not read what comes after its caller. */
  get #hasLostItsCaller(): boolean {
    return this.facts.commit === undefined && this.#parent !== undefined && this.#parent.#hasSettled;
  }

  assertOpen(): void {
    if (this.#hasSettled || this.#isDead || this.#hasLostItsCaller) {
      throw new LunoraError(
        "CTX_CLOSED",
        "`ctx` was used after its function had settled: the call was not awaited, and nothing was read or written",
      );
    }
  }

  /** Reads these tables. A promise only where one of them is global, and so is elsewhere. */
  read<Result>(host: FindHost, tables: readonly Table[], read: (host: FindHost) => Result): Result | Promise<Result> {
    const { globals } = this.facts;
    return globals !== undefined && tables.some(({ isGlobal }) => isGlobal)
      ? globals.read(host, tables, read)
      : read(host);
  }

  /** The row with this id, as this function sees it. A promise only where the table is global. */
  row(table: Table, id: string): StoredRow | undefined | Promise<StoredRow | undefined> {
    return table.isGlobal ? (this.facts.globals as GlobalSession).row(table, id) : readRow(this.facts.host, table, id);
  }

  get commit(): Commit {
    const { commit } = this.facts;
    if (commit === undefined) throw new LunoraError("FORBIDDEN", "a query cannot write: make the function a mutation");
    return commit;
  }

  /** Runs one write. When it throws, what it wrote is taken back, also if the handler catches the error. */
  async exclusive<Result>(operation: () => Result | Promise<Result>): Promise<Result> {
    this.assertOpen();
    const { commit } = this;
    const turn = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    this.#pending += 1;
    // With nobody before it a write begins at once, so that one without triggers is over when the call returns.
    if (this.#pending > 1) await turn;
    const mark = commit.mark();
    try {
      return await operation();
    } catch (error) {
      commit.undo(mark);
      if (this.#hasSettled) this.#lateFailure ??= { error };
      throw error;
    } finally {
      this.#pending -= 1;
      resolve();
    }
  }

  /**
   * Nothing more may begin. Writes that were begun and not awaited are waited for: they belong to
   * this call, and it fails when one of them does.
   */
  async settle(): Promise<void> {
    this.#hasSettled = true;
    while (this.#pending > 0) await this.#tail;
    if (this.#lateFailure !== undefined) throw this.#lateFailure.error;
  }

  /** Nothing more may happen at all, and what was written is taken back. */
  abort(): void {
    this.#isAborted = true;
    this.facts.commit?.revoke();
  }
}
