import type {
  D1Answer,
  D1Binding,
  D1Connection,
  D1Statement,
  FarRow,
  Statement,
} from "../src/engine/globals/d1-binding.ts";
import type { SqlValue } from "../src/engine/sql.ts";
import { MemorySqlite } from "./memory-sqlite.ts";

/** What becomes of a request. */
export interface RequestFate {
  /** Turns of the event loop until the database has it, and until its answer is there. */
  readonly there: number;
  readonly back: number;
  /** It does not arrive, or its answer does not. */
  readonly isLost?: "there" | "back";
}

const AT_ONCE: RequestFate = { there: 0, back: 0 };

class PreparedStatement implements D1Statement, Statement {
  readonly text: string;
  readonly bindings: readonly SqlValue[];

  constructor(text: string, bindings: readonly SqlValue[] = []) {
    this.text = text;
    this.bindings = bindings;
  }

  bind(...values: readonly SqlValue[]): PreparedStatement {
    return new PreparedStatement(this.text, values);
  }
}

/**
 * A D1 database over SQLite in memory, for whom it is bound: one request at a time, each in a transaction, with whatever
 * delay and loss the test says.
 */
export class SimulatedD1 implements D1Binding {
  readonly sqlite = new MemorySqlite();
  /** Asked for each request. */
  fate: () => RequestFate = () => AT_ONCE;
  /** Statements that SQLite refuses. */
  refuse: (text: string) => boolean = () => false;
  /** Requests that were answered. */
  answered = 0;

  withSession(): D1Connection {
    return this;
  }

  prepare(text: string): PreparedStatement {
    return new PreparedStatement(text);
  }

  async batch(statements: readonly D1Statement[]): Promise<readonly D1Answer[]> {
    const { there, back, isLost } = this.fate();
    await this.#pass(there);
    if (isLost === "there") throw new Error("D1_ERROR: Network connection lost.");
    const answers = this.run(statements as readonly PreparedStatement[]);
    await this.#pass(back);
    if (isLost === "back") throw new Error("D1_ERROR: Network connection lost.");
    this.answered += 1;
    return answers.map((results) => ({ results }));
  }

  /** Nobody is answered any more once the test is over. */
  async #pass(turns: number): Promise<void> {
    for (let turn = 0; turn < turns && !this.sqlite.isClosed; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
    if (this.sqlite.isClosed) await new Promise(() => {});
  }

  /** All or none, now. */
  run(statements: readonly Statement[]): FarRow[][] {
    this.sqlite.exec("BEGIN; SELECT 1");
    try {
      const answers = statements.map(({ text, bindings }) => {
        if (this.refuse(text)) throw new Error("the statement is too much");
        return this.sqlite.exec(text, ...bindings).toArray();
      });
      this.sqlite.exec("COMMIT; SELECT 1");
      return answers;
    } catch (error) {
      this.sqlite.exec("ROLLBACK; SELECT 1");
      throw new Error(`D1_ERROR: ${String(error)}: SQLITE_ERROR`, { cause: error });
    }
  }

  stop(): void {
    this.sqlite.close();
  }
}
