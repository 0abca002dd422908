import { LunoraError } from "@lunora/errors";
import type { Identity } from "@lunora/server";

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

/** The result of a mutation that ran already; `undefined` when it has not. */
export function readResult(
  storage: SqlStorage,
  caller: string,
  mutationId: string,
  functionPath: string,
  oldest: number,
): { readonly result?: unknown } | undefined {
  const [row] = storage
    .exec(
      "SELECT result FROM __idempotency WHERE identity = ? AND mutation_id = ? AND ts > ?",
      caller,
      mutationId,
      oldest,
    )
    .toArray();
  if (row === undefined) return undefined;
  const [path, result] = JSON.parse(row["result"] as string) as [string, unknown?];
  if (path !== functionPath) {
    throw new LunoraError(
      "CONFLICT",
      `the mutation id was used for \`${path}\` before; every call needs an id of its own`,
    );
  }
  return result === undefined ? {} : { result };
}

/** Keeps the (wire-encoded) result, in the mutation's own transaction. */
export function writeResult(
  storage: SqlStorage,
  caller: string,
  mutationId: string,
  functionPath: string,
  result: unknown,
  now: number,
): void {
  const text = JSON.stringify(result === undefined ? [functionPath] : [functionPath, result]);
  if (text.length * 3 > RESULT_BYTES && encoder.encode(text).byteLength > RESULT_BYTES) {
    throw new LunoraError(
      "RESULT_TOO_LARGE",
      `\`${functionPath}\` returned more than ${RESULT_BYTES} bytes, which cannot be kept for a repeated call`,
      {
        data: { limit: RESULT_BYTES },
      },
    );
  }
  storage.exec(
    "INSERT INTO __idempotency(identity, mutation_id, result, ts) VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET result = excluded.result, ts = excluded.ts",
    caller,
    mutationId,
    text,
    now,
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
