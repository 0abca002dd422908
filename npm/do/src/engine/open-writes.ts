import type { Commit } from "./commit.ts";
import { RowCache } from "./row-cache.ts";
import type { SqlCursor, SqlStorage, SqlValue } from "./sql.ts";

/** Rounds of microtasks without an access to the storage after which a group is taken to wait for something outside. */
const QUIET_ROUNDS = 256;

export interface OpenWritesHost {
  readonly sql: SqlStorage;
  /** See `ShardHost.discardTurn`. */
  discardTurn(reason: unknown): void;
  /** The group waits for something outside. */
  onWait(): void;
}

/**
 * The storage as the members of a group see it, and nobody else.
 *
 * What one turn of the event loop writes the platform commits as one when the turn ends. A group
 * that ends within a turn, as nearly all do, needs no transaction besides. One that waits for
 * something outside would be committed by halves; so before its turn ends its writes are taken out
 * of the storage again, and put back at its next access. The same happens when somebody else reads
 * in between: whoever looks finds the storage as it is theirs to see.
 */
export class OpenWrites implements SqlStorage {
  readonly #host: OpenWritesHost;
  /** For everybody but the members. */
  readonly others: SqlStorage;
  /** Rows that members have seen. */
  readonly rows: RowCache = new RowCache();
  #commits: Commit[] = [];
  #isOpen = false;
  #isAway = false;
  #isWatched = false;
  #quiet = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(host: OpenWritesHost) {
    this.#host = host;
    this.others = {
      exec: (statement, ...bindings) => {
        if (this.#isOpen && !this.#isAway) this.#takeAway();
        return host.sql.exec(statement, ...bindings);
      },
    };
  }

  exec(statement: string, ...bindings: SqlValue[]): SqlCursor {
    if (this.#isAway) this.#bringBack();
    this.#quiet = 0;
    return this.#host.sql.exec(statement, ...bindings);
  }

  /** A group begins. */
  begin(): void {
    this.#isOpen = true;
    this.#watch();
  }

  /** What a member will write. */
  add(commit: Commit): void {
    this.#commits.push(commit);
    this.#watch();
  }

  /** The members have ended: from here to the end of the turn nothing of them may be missing. Throws when it is. */
  end(): void {
    if (this.#isAway) this.#bringBack();
    this.#assertWhole();
    this.#close();
  }

  /** The group is lost, and so is what it wrote. */
  abandon(reason: unknown): void {
    this.#close();
    this.#host.discardTurn(reason);
  }

  #close(): void {
    this.#isOpen = false;
    this.#isAway = false;
    this.#failure = undefined;
    this.#commits = [];
    this.rows.clear();
  }

  #watch(): void {
    this.#quiet = 0;
    if (this.#isWatched) return;
    this.#isWatched = true;
    void this.#waitForQuiet();
  }

  /** As long as this runs the turn does not end. */
  async #waitForQuiet(): Promise<void> {
    while (this.#isOpen && this.#quiet < QUIET_ROUNDS) {
      await undefined;
      this.#quiet += 1;
    }
    this.#isWatched = false;
    if (!this.#isOpen) return;
    if (!this.#isAway) this.#takeAway();
    this.#host.onWait();
  }

  #takeAway(): void {
    this.#isAway = true;
    this.rows.clear();
    this.#move(() => {
      for (let index = this.#commits.length - 1; index >= 0; index -= 1) this.#commits[index]?.takeAway(this.#host.sql);
    });
  }

  #bringBack(): void {
    this.#assertWhole();
    this.#isAway = false;
    this.#watch();
    this.#move(() => {
      for (const commit of this.#commits) commit.bringBack(this.#host.sql);
    });
    this.#assertWhole();
  }

  #assertWhole(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Half of it must not be committed. */
  #move(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#isAway = true;
      this.#failure = { error };
      this.#host.discardTurn(error);
    }
  }
}
