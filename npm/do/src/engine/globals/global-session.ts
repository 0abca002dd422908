import type { StoredRow } from "../document.ts";
import type { FindHost } from "../find.ts";
import type { Footprint } from "../footprint.ts";
import type { MutationOutcome } from "../mutation-call.ts";
import type { Table } from "../table.ts";

/** `.global()` tables as one function sees them: what is committed and, in a mutation, what it has written so far. */
export interface GlobalSession {
  /**
   * Runs `read` until everything is there that it asks for, so it may run several times and has to be pure. The tables
   * are those that it may read; the global ones are noted in the footprint of `host`.
   */
  read<Result>(host: FindHost, tables: readonly Table[], read: (host: FindHost) => Result): Promise<Result>;
  row(table: Table, id: string): Promise<StoredRow | undefined>;
  /** The global table that has a row with this id; whoever asks has read them all. */
  holder(id: string, footprint: Footprint | undefined): Promise<Table | undefined>;
  /** Refuses with `NOT_UNIQUE` a row whose id or unique values another row has. */
  assertUnique(table: Table, row: StoredRow): Promise<void>;
  /** The function has asked whether there is a row and relies on it: a duplicate that turns up later runs it again. */
  relyOnUnique(): void;
}

/** The same of one mutation, which may write. Nothing is written before its handler has ended. */
export interface GlobalMutation extends GlobalSession {
  /** Whether {@link GlobalMutation.conclude} has anything to do. */
  readonly needsConclusion: boolean;
  /** It writes to global tables, and others are before it in its group: it has to run again as the first of one. */
  readonly isPostponed: boolean;
  /** How the mutation ended when it came before; its handler is not to run. */
  readonly told: MutationOutcome | undefined;
  /**
   * The handler has ended with this wire-encoded result. Resolves to whether what it wrote is now committed; `false`: somebody
   * was faster, everything is taken back, and the handler has to run again. Rejects with `NOT_UNIQUE`,
   * `GLOBAL_CONFLICT`, `GLOBAL_UNAVAILABLE` and `RESULT_TOO_LARGE`, and when it is {@link GlobalMutation.told} or postponed.
   */
  conclude(result: unknown): Promise<boolean>;
}
