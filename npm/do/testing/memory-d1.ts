import type { FarRow, Statement } from "../src/engine/globals/d1-binding.ts";
import { MemorySqlite } from "./memory-sqlite.ts";

/** Batches of statements as D1 takes them, on a real SQLite in memory. */
export class MemoryD1 {
  readonly sqlite = new MemorySqlite();

  /** All or none; errors are worded as D1's. */
  readonly run = async (statements: readonly Statement[]): Promise<readonly (readonly FarRow[])[]> => {
    this.sqlite.exec("BEGIN");
    try {
      const answers = statements.map(({ text, bindings }) => this.sqlite.exec(text, ...bindings).toArray());
      this.sqlite.exec("COMMIT");
      return answers;
    } catch (error) {
      this.sqlite.exec("ROLLBACK");
      throw new Error(`D1_ERROR: ${(error as Error).message}: SQLITE_ERROR`, { cause: error });
    }
  };

  async rows(text: string): Promise<readonly FarRow[]> {
    return (await this.run([{ text, bindings: [] }]))[0] ?? [];
  }
}
