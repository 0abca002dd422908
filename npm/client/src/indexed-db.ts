import type { ClientStorage } from "./storage.ts";

const STORE = "entries";

/** A database of this name in the browser. Opened when it is first used. */
export function indexedDbStorage(name: string, factory: IDBFactory = indexedDB): ClientStorage {
  let opened: Promise<IDBDatabase> | undefined;
  const open = (): Promise<IDBDatabase> =>
    (opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = factory.open(name, 1);
      const fail = (): void => reject(request.error ?? new Error(`The database \`${name}\` is blocked by another tab`));
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onerror = request.onblocked = fail;
      request.onsuccess = () => {
        const database = request.result;
        // The browser may close it, or another tab may want to delete it: open it again on the next use.
        database.onclose = () => (opened = undefined);
        database.onversionchange = () => {
          database.close();
          opened = undefined;
        };
        resolve(database);
      };
    }).catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));
  const run = async (mode: IDBTransactionMode, work: (store: IDBObjectStore) => void): Promise<void> => {
    const database = await open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore(STORE));
    });
  };
  return {
    list: async (prefix) => {
      let keys: IDBRequest<IDBValidKey[]> | undefined;
      let values: IDBRequest<unknown[]> | undefined;
      await run("readonly", (store) => {
        const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
        keys = store.getAllKeys(range);
        values = store.getAll(range);
      });
      return (keys?.result ?? []).map((key, place) => [String(key), values?.result[place]]);
    },
    write: (changes) =>
      run("readwrite", (store) => {
        for (const [key, value] of changes) {
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        }
      }),
  };
}
