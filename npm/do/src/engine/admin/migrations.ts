import { LunoraError } from "@lunora/errors";
import { isRegisteredMigration } from "@lunora/server";
import type { MigrationRegistryEntry, RegisteredMigration } from "@lunora/server";

import { Commit } from "../commit.ts";
import { assertLivesHere, livesHere } from "../shard-scope.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, text } from "./arguments.ts";
import type { Fields } from "./arguments.ts";
import type { RowTransform } from "./migrated-row.ts";
import { runBatch } from "./migration-batch.ts";
import type { BatchEnd } from "./migration-batch.ts";
import { BATCH_ROWS, firstBatch, MOST_ROWS, nextBatch } from "./migration-pace.ts";
import { isReached, toPosition } from "./migration-position.ts";
import type { Direction, Position } from "./migration-position.ts";
import { MigrationStates } from "./migration-state.ts";
import type { MigrationFailure, MigrationState } from "./migration-state.ts";

/** What some batches of a migration came to. */
export interface MigrationStep {
  /** Nothing is left to do in this shard. */
  readonly isDone: boolean;
  /** Rows that the transform was shown. */
  readonly rows: number;
  readonly changed: number;
  /** Where a rehearsal goes on; a real run remembers that itself. */
  readonly position: Position;
  /** The row that stopped it; `null` while none did. */
  readonly failure: MigrationFailure | null;
}

/** How far a migration has come in a shard, in a word. */
export type MigrationProgress = "pending" | "partial" | "applied" | "failed";

export interface ShardMigrationStatus {
  readonly progress: MigrationProgress;
  readonly failure: MigrationFailure | null;
}

/** Thrown to take a rehearsal back. */
const REHEARSAL = Symbol("rehearsal");

function directionOf(fields: Fields): Direction {
  const direction = fields["direction"];
  if (direction === "up" || direction === "down") return direction;
  throw new LunoraError("BAD_REQUEST", "`direction` is `up` or `down`");
}

function progressOf({ position, failure }: MigrationState): MigrationProgress {
  if (failure !== undefined) return "failed";
  if (position.place === "start") return "pending";
  return position.place === "end" ? "applied" : "partial";
}

/**
 * The data migrations of one shard. Rows are transformed in batches, each a turn of the shard's queue and a transaction
 * that also moves the line between migrated rows and others: a shard that dies goes on where it was, and no row is
 * transformed twice.
 */
export class ShardMigrations {
  readonly #host: ShardAdminHost;
  #opened: MigrationStates | undefined;

  constructor(host: ShardAdminHost) {
    this.#host = host;
  }

  /**
   * Made when first asked for, since most shards open without a migration being due. Not from within a transaction, which
   * might take the table along.
   */
  get #states(): MigrationStates {
    return (this.#opened ??= new MigrationStates(this.#host.sql));
  }

  #entry(id: string): MigrationRegistryEntry {
    const migrations = this.#host.migrations ?? {};
    const entry = Object.hasOwn(migrations, id) ? migrations[id] : undefined;
    if (entry === undefined) throw new LunoraError("MIGRATION_NOT_FOUND", `there is no migration \`${id}\``);
    return entry;
  }

  async #load(id: string, entry: MigrationRegistryEntry): Promise<RegisteredMigration> {
    const registered = (await entry.module())[entry.exportName];
    if (isRegisteredMigration(registered) && registered.id === id && registered.table === entry.table)
      return registered;
    throw new Error(`\`${id}\` is not the migration that the generated registry says: run codegen again`);
  }

  /** Refuses a migration whose neighbours on the same table are not where they have to be: each transform knows one form of a row. */
  #assertInOrder(id: string, table: string, direction: Direction): void {
    for (const [other, entry] of Object.entries(this.#host.migrations ?? {})) {
      const isFirst = direction === "up" ? other < id : other > id;
      if (!isFirst || entry.table !== table) continue;
      const { position } = this.#states.read(other);
      if (position.place === (direction === "up" ? "end" : "start")) continue;
      throw new LunoraError(
        "MIGRATION_OUT_OF_ORDER",
        `\`${other}\` has to be ${direction === "up" ? "run" : "taken back"} before \`${id}\` is in \`${this.#host.engine.name}\``,
        { data: { first: other } },
      );
    }
  }

  /** How far each migration of a table that lives here has come. */
  status(): Record<string, ShardMigrationStatus> {
    const { schema, scope } = this.#host.engine.findHost;
    const status: Record<string, ShardMigrationStatus> = {};
    for (const [id, entry] of Object.entries(this.#host.migrations ?? {})) {
      if (!livesHere(scope, schema.table(entry.table))) continue;
      const state = this.#states.read(id);
      status[id] = { progress: progressOf(state), failure: state.failure ?? null };
    }
    return status;
  }

  /**
   * Runs batches until the migration is through, a row stops it, or `milliseconds` have passed: `{id, direction,
   * milliseconds, batchSize?, isRehearsal?, position?}`. A rehearsal does the same and takes everything back.
   */
  async run(argument: unknown): Promise<MigrationStep> {
    const fields = fieldsOf(argument);
    const id = text(fields, "id");
    const direction = directionOf(fields);
    const milliseconds = positive(fields, "milliseconds");
    const { engine, now } = this.#host;
    const { schema, scope } = engine.findHost;
    const entry = this.#entry(id);
    const table = schema.table(entry.table);
    assertLivesHere(scope, table);
    const registered = await this.#load(id, entry);
    const transform = registered[direction];
    if (transform === undefined)
      throw new LunoraError("MIGRATION_IRREVERSIBLE", `the migration \`${id}\` has no \`down\``);
    const most = Math.min(
      MOST_ROWS,
      fields["batchSize"] === undefined ? (registered.batchSize ?? BATCH_ROWS) : positive(fields, "batchSize"),
    );
    const begun = now();
    const isRehearsal = fields["isRehearsal"] === true;
    let size = firstBatch(most);
    const stored = this.#states.read(id).position;
    let position = isRehearsal ? (toPosition(fields["position"]) ?? stored) : undefined;
    if (position !== undefined && !isReached(position, direction)) this.#assertInOrder(id, table.name, direction);
    let rows = 0;
    let changed = 0;
    for (;;) {
      const started = now();
      const rowTransform: RowTransform = { schema, scope, table, transform, now: started };
      const end =
        position === undefined
          ? await this.#commit(id, rowTransform, direction, size)
          : await this.#rehearse(rowTransform, position, direction, size);
      // What is told is on disk; and only by then has the clock of the platform gone on.
      await this.#host.sync();
      rows += end.rows;
      changed += end.changed;
      if (isRehearsal) ({ position } = end);
      const isDone = isReached(end.position, direction);
      const ended = now();
      if (isDone || end.failure !== undefined || ended - begun >= milliseconds)
        return { isDone, rows, changed, position: end.position, failure: end.failure ?? null };
      size = nextBatch(size, ended - started, most);
      await this.#host.giveWay();
    }
  }

  /** One batch, and how far it came, in one transaction. */
  #commit(id: string, host: RowTransform, direction: Direction, size: number): Promise<BatchEnd> {
    const { engine, sql } = this.#host;
    return engine.writeTurn((commit, now) => {
      const state = this.#states.read(id);
      if (isReached(state.position, direction)) return { position: state.position, rows: 0, changed: 0 };
      this.#assertInOrder(id, host.table.name, direction);
      const end = runBatch(sql, host, commit, state.position, direction, size);
      const isSameWay = state.direction === direction;
      this.#states.write(
        id,
        {
          position: end.position,
          direction,
          rows: (isSameWay ? state.rows : 0) + end.rows,
          changed: (isSameWay ? state.changed : 0) + end.changed,
          failure: end.failure,
        },
        now,
      );
      return end;
    });
  }

  /** The same, taken back. */
  #rehearse(host: RowTransform, position: Position, direction: Direction, size: number): Promise<BatchEnd> {
    const { engine, sql, transactionSync } = this.#host;
    return engine.exclusively(async () => {
      let end: BatchEnd = { position, rows: 0, changed: 0 };
      try {
        transactionSync(() => {
          end = runBatch(sql, host, new Commit(sql), position, direction, size);
          throw REHEARSAL;
        });
      } catch (error) {
        if (error !== REHEARSAL) throw error;
      }
      return end;
    });
  }
}
