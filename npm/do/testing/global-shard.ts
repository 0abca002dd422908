import { encodeRow } from "../src/engine/document.ts";
import type { StoredRow } from "../src/engine/document.ts";
import type { Statement } from "../src/engine/globals/d1-binding.ts";
import { Schema } from "../src/engine/schema.ts";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "./loose.ts";
import { MemoryShard } from "./memory-shard.ts";
import { SimulatedD1 } from "./simulated-d1.ts";

/** A change of one row by somebody else than the shard; without a document the row is removed. */
export interface GlobalWrite {
  readonly table: string;
  readonly id: string;
  readonly document?: Record<string, unknown> | undefined;
  /** Epoch milliseconds; of a row that is there the one that it has. */
  readonly creationTime?: number;
}

/** The real engine over a simulated D1, with its alarm. */
export class GlobalShard extends MemoryShard {
  readonly d1: SimulatedD1;
  readonly schema: Schema;
  readonly #state: { alarm: number | null };

  private constructor(definition: LunoraDefinition, d1: SimulatedD1, state: { alarm: number | null }) {
    super(
      definition,
      {},
      {
        env: { DB: d1 as never },
        getAlarm: async () => state.alarm,
        setAlarm: async (time) => {
          state.alarm = time;
        },
      },
    );
    this.d1 = d1;
    this.schema = new Schema(definition.schema);
    this.#state = state;
  }

  /** When it rings; `null` when nothing is armed. */
  get alarm(): number | null {
    return this.#state.alarm;
  }

  static start(definition: LunoraDefinition): Promise<GlobalShard> {
    return new GlobalShard(definition, new SimulatedD1(), { alarm: null }).open();
  }

  /** Lets the time pass up to the alarm, and answers it to the end. Answers whether there was one. */
  async ring(): Promise<boolean> {
    const { alarm } = this.#state;
    if (alarm === null) return false;
    this.now = Math.max(this.now, alarm);
    this.#state.alarm = null;
    await this.engine.ring();
    return true;
  }

  /** One transaction of another writer. */
  write(writes: readonly GlobalWrite[]): void {
    this.d1.run(writes.flatMap((write) => this.#statements(write)));
  }

  #statements({ table: name, id, document, creationTime = this.now }: GlobalWrite): Statement[] {
    const table = this.schema.table(name);
    const note = {
      text: 'INSERT INTO __lunora_changes("table", id, at) VALUES(?, ?, ?)',
      bindings: [name, id, this.now],
    };
    if (document === undefined) return [{ text: `DELETE FROM ${table.quoted} WHERE id = ?`, bindings: [id] }, note];
    const { doc, keys } = encodeRow(table, id, creationTime, document);
    const text = `INSERT INTO ${table.quoted}(id, _creationTime, doc, keys) VALUES(?, ?, ?, ?)
      ON CONFLICT(id) DO UPDATE SET doc = excluded.doc, keys = excluded.keys`;
    return [{ text, bindings: [id, creationTime, doc, keys] }, note];
  }

  /** The rows of a table in D1. */
  rows(name: string): StoredRow[] {
    const [rows = []] = this.d1.run([
      { text: `SELECT id, _creationTime, doc, keys FROM ${this.schema.table(name).quoted} ORDER BY id`, bindings: [] },
    ]);
    return rows.map((row: Loose) => ({ id: row.id, creationTime: row._creationTime, doc: row.doc, keys: row.keys }));
  }

  stop(): void {
    this.engine.retire();
    this.sqlite.close();
    this.d1.stop();
  }
}
