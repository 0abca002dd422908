import type { SqlStorage } from "./sql.ts";

/** Under which is kept what is known of copies of global rows. */
export const MIRROR_META = "globals:mirror";

/** A value that the shard remembers about itself. */
export function readMeta(storage: SqlStorage, key: string): string | undefined {
  const [row] = storage.exec("SELECT value FROM __lunora_meta WHERE key = ?", key).toArray();
  return row?.["value"] as string | undefined;
}

export function writeMeta(storage: SqlStorage, key: string, value: string): void {
  storage.exec(
    "INSERT INTO __lunora_meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    key,
    value,
  );
}

export function removeMeta(storage: SqlStorage, key: string): void {
  storage.exec("DELETE FROM __lunora_meta WHERE key = ?", key);
}
