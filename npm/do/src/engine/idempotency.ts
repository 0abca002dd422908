import { LunoraError } from "@lunora/errors";
import type { Identity } from "@lunora/server";

import type { NamedOutcome } from "./kept-outcome.ts";
import { pieces } from "./pieces.ts";
import type { SqlStorage } from "./sql.ts";

/** How long a result can be asked for again, milliseconds. */
export const RESULT_LIFETIME: number = 24 * 60 * 60 * 1000;

/** Largest result that is kept, bytes. */
const RESULT_BYTES = 1_000_000;

/** Rows removed in one pass. */
const SWEEP_ROWS = 1_000;

const encoder = new TextEncoder();

/** Whose mutation ids these are: two callers may choose the same. */
export function callerKey(identity: Identity | null, clientId: string | undefined): string {
  if (identity !== null) return `user:${identity.userId}`;
  return clientId === undefined ? "anonymous" : `client:${clientId}`;
}

/** A mutation that is to have its effect once. */
export interface Repeatable {
  readonly caller: string;
  readonly mutationId: string;
}

/** With no more rows than this a statement each is cheaper than going through JSON. */
const SINGLE_ROWS = 2;

/** The results of mutations with an id. New ones are staged, and written with their group. */
export class ResultKeeper {
  readonly #storage: SqlStorage;
  /** Nothing is stored: pushes, which ask as well, are spared a statement. */
  #isEmpty: boolean;
  readonly #staged = new Map<string, readonly [caller: string, mutationId: string, text: string]>();

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    this.#isEmpty = storage.exec("SELECT 1 FROM __idempotency LIMIT 1").toArray().length === 0;
  }

  /** The outcome of a mutation that ran already, as JSON; `undefined` when it has not, or before `oldest`. */
  find({ caller, mutationId }: Repeatable, oldest: number): NamedOutcome | undefined {
    const text = this.#staged.get(keyOf(caller, mutationId))?.[2] ?? this.#read(caller, mutationId, oldest);
    if (text === undefined) return undefined;
    const [functionPath, result] = JSON.parse(text) as [string, unknown?];
    return { functionPath, text: JSON.stringify({ result }) };
  }

  #read(caller: string, mutationId: string, oldest: number): string | undefined {
    if (this.#isEmpty) return undefined;
    const [row] = this.#storage
      .exec(
        "SELECT result FROM __idempotency WHERE identity = ? AND mutation_id = ? AND ts > ?",
        caller,
        mutationId,
        oldest,
      )
      .toArray();
    return row?.["result"] as string | undefined;
  }

  /** Answers how many characters are kept. Throws `RESULT_TOO_LARGE`. */
  keep({ caller, mutationId }: Repeatable, functionPath: string, result: unknown): number {
    const text = JSON.stringify(result === undefined ? [functionPath] : [functionPath, result]);
    assertKeepable(functionPath, text);
    this.#staged.set(keyOf(caller, mutationId), [caller, mutationId, text]);
    return text.length;
  }

  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** Writes what was staged, as part of the group's transaction. */
  write(now: number): void {
    this.#isEmpty = false;
    const head = "INSERT INTO __idempotency(identity, mutation_id, result, ts)";
    const tail = "ON CONFLICT DO UPDATE SET result = excluded.result, ts = excluded.ts";
    for (const rows of pieces([...this.#staged.values()])) {
      if (rows.length <= SINGLE_ROWS) {
        for (const row of rows) this.#storage.exec(`${head} VALUES(?, ?, ?, ?) ${tail}`, ...row, now);
      } else {
        this.#storage.exec(
          `${head} SELECT value ->> 0, value ->> 1, value ->> 2, ?2 FROM json_each(?1) WHERE true ${tail}`,
          JSON.stringify(rows),
          now,
        );
      }
    }
  }

  /** The group's transaction has ended, one way or the other. */
  clear(): void {
    this.#staged.clear();
  }
}

function keyOf(caller: string, mutationId: string): string {
  return `${caller.length}:${caller}${mutationId}`;
}

/** Refuses a result that is too long to be kept. `text` is its JSON. */
export function assertKeepable(functionPath: string, text: string): void {
  if (text.length * 3 <= RESULT_BYTES || encoder.encode(text).byteLength <= RESULT_BYTES) return;
  throw new LunoraError(
    "RESULT_TOO_LARGE",
    `\`${functionPath}\` returned more than ${RESULT_BYTES} bytes, which cannot be kept for a repeated call`,
    { data: { limit: RESULT_BYTES } },
  );
}

/** Removes some results that are too old. */
export function sweepResults(storage: SqlStorage, oldest: number): void {
  storage.exec(
    `DELETE FROM __idempotency WHERE (identity, mutation_id) IN (SELECT identity, mutation_id FROM __idempotency WHERE ts <= ? ORDER BY ts LIMIT ${SWEEP_ROWS})`,
    oldest,
  );
}

/** When the oldest result was stored. */
export function oldestResult(storage: SqlStorage): number | null {
  const [row] = storage.exec("SELECT min(ts) AS ts FROM __idempotency").toArray();
  return (row?.["ts"] ?? null) as number | null;
}
