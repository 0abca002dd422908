import type { ClientStorage } from "./storage.ts";

const STORE = "entries";

/** A database of this name in the browser. Opened when it is first used. */
export function indexedDbStorage(name: string, factory: IDBFactory = indexedDB): ClientStorage {
  let opened: Promise<IDBDatabase> | undefined;
  const forget = (): void => {
    opened = undefined;
  };
  const open = (): Promise<IDBDatabase> =>
    (opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = factory.open(name, 1);
      const fail = (): void => reject(request.error ?? new Error(`Another tab blocks the database \`${name}\``));
      request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
      request.addEventListener("error", fail);
      request.addEventListener("blocked", fail);
      request.addEventListener("success", () => {
        const database = request.result;
        // The browser may close it, or another tab may want to delete it: the next use opens it again.
        database.addEventListener("close", forget);
        database.addEventListener("versionchange", () => {
          database.close();
          forget();
        });
        resolve(database);
      });
    }).catch((error: unknown) => {
      forget();
      throw error;
    }));
  const run = async (mode: IDBTransactionMode, work: (store: IDBObjectStore) => void): Promise<void> => {
    const database = await open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () => reject(transaction.error));
      try {
        work(transaction.objectStore(STORE));
      } catch (error) {
        // A value that cannot be stored: without this, those before it would be.
        transaction.abort();
        reject(error);
      }
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
