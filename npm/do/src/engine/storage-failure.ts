import { LunoraError } from "@lunora/errors";

const FULL = /SQLITE_FULL|database or disk is full/;
const BROKEN = /SQLITE_(?:FULL|IOERR|NOMEM|CORRUPT|BUSY)|database or disk is full|disk I\/O error/;

/** Whether SQLite could not do its work; then it may have rolled back the transaction on its own. */
export function isStorageFailure(error: unknown): boolean {
  return BROKEN.test(String(error));
}

/**
 * The error of a group whose transaction is gone, as each of its callers gets it. Always one that is
 * no verdict on the call: it may come again.
 */
export function asLostGroup(error: unknown): LunoraError {
  if (error instanceof LunoraError) return error;
  return FULL.test(String(error))
    ? new LunoraError("STORAGE_FULL", "the shard's storage is full; nothing of this call was written", { cause: error })
    : new LunoraError("SHARD_ERROR", "the shard could not write; nothing of this call was written", { cause: error });
}
