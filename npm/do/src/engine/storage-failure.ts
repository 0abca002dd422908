import { LunoraError } from "@lunora/errors";

const FULL = /SQLITE_FULL|database or disk is full/;
const BROKEN = /SQLITE_(?:FULL|IOERR|NOMEM|CORRUPT|BUSY)|database or disk is full|disk I\/O error/;

/** Whether SQLite could not do its work; then it may have rolled back the transaction on its own. */
export function isStorageFailure(error: unknown): boolean {
  return BROKEN.test(String(error));
}

/** The error of a group whose transaction is gone, as each of its callers gets it. */
export function asStorageFull(error: unknown): unknown {
  if (!FULL.test(String(error))) return error;
  return new LunoraError("STORAGE_FULL", "the shard's storage is full; nothing of this call was written", {
    cause: error,
  });
}
