/** One change of a storage: `undefined` removes the key. */
export type StorageChange = readonly [key: string, value: unknown];

/**
 * Where the outbox and the results of queries outlive the page. Values are JSON. Rejections are
 * told through `onStorageError`; the client goes on from memory.
 */
export interface ClientStorage {
  /** Everything whose key begins so, in the order of the keys. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]>;
  /** All of it or nothing. */
  write(changes: readonly StorageChange[]): Promise<void>;
}

/** Lasts as long as the object does. */
export function memoryStorage(): ClientStorage {
  const values = new Map<string, string>();
  return {
    list: async (prefix) =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, value]) => [key, JSON.parse(value)]),
    write: async (changes) => {
      for (const [key, value] of changes) {
        if (value === undefined) values.delete(key);
        else values.set(key, JSON.stringify(value));
      }
    },
  };
}
