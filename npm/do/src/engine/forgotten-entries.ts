import { fingerprint } from "./fingerprint.ts";
import { pieces } from "./pieces.ts";
import type { SqlStorage } from "./sql.ts";

export function createForgottenTable(storage: SqlStorage): void {
  storage.exec("CREATE TABLE IF NOT EXISTS __forgotten_entry(name TEXT PRIMARY KEY) WITHOUT ROWID");
}

/**
 * The entries that clients were never known to have had the answers of, when their clients were
 * forgotten: such a client comes back with new numbers, and what it did must not happen again. A
 * few bytes for each.
 */
export class ForgottenEntries {
  readonly #storage: SqlStorage;
  #isEmpty: boolean;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    this.#isEmpty = storage.exec("SELECT 1 FROM __forgotten_entry LIMIT 1").toArray().length === 0;
  }

  /** Adds entries; `client` is what `clientKey` gives. */
  add(entries: readonly (readonly [client: string, mutationId: string])[]): void {
    if (entries.length === 0) return;
    const names = entries.map(([client, mutationId]) => [nameOf(client, mutationId)] as const);
    for (const piece of pieces(names)) {
      this.#storage.exec(
        "INSERT OR IGNORE INTO __forgotten_entry(name) SELECT value ->> 0 FROM json_each(?)",
        JSON.stringify(piece),
      );
    }
    this.#isEmpty = false;
  }

  has(client: string, mutationId: string): boolean {
    if (this.#isEmpty) return false;
    const name = nameOf(client, mutationId);
    return this.#storage.exec("SELECT 1 FROM __forgotten_entry WHERE name = ?", name).toArray().length > 0;
  }
}

function nameOf(client: string, mutationId: string): string {
  return fingerprint(`${client}\u0000${mutationId}`);
}
