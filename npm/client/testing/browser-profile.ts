import type { ClientLocks } from "../src/index.ts";
import { memoryStorage } from "../src/offline.ts";
import type { ClientStorage, StorageChange } from "../src/offline.ts";

interface LockRequest {
  readonly owner: object;
  readonly callback: (lock: object | null) => Promise<void> | undefined;
  readonly done: (value: unknown) => void;
}

/** What the tabs of one browser share: a storage that can fail, and locks that a closed tab loses. */
export class BrowserProfile {
  readonly #storage = memoryStorage();
  readonly #held = new Map<string, object>();
  readonly #waiting = new Map<string, LockRequest[]>();
  readonly #closed = new Set<object>();
  /** While true, there is no room for anything new. */
  isFull = false;
  wasFull = false;
  /** While true, reads and writes wait for {@link step}. */
  isSlow = false;
  /** While true, nothing that is read arrives. */
  isStuck = false;
  #requests: { readonly owner: object; readonly run: () => void }[] = [];

  fill(isFull: boolean): void {
    this.isFull = isFull;
    this.wasFull ||= isFull;
  }

  /** The storage as one tab sees it: a closed tab neither reads nor writes. */
  storageOf(tab: object): ClientStorage {
    const whileOpen = <Value>(value: Promise<Value>): Promise<Value> =>
      this.#closed.has(tab) ? new Promise(() => {}) : value;
    return {
      list: (prefix) =>
        new Promise((resolve, reject) => {
          if (this.isStuck) return;
          const run = (): void => void whileOpen(this.#storage.list(prefix)).then(resolve, reject);
          if (this.isSlow) this.#requests.push({ owner: tab, run });
          else run();
        }),
      write: (changes: readonly StorageChange[]) =>
        new Promise((resolve, reject) => {
          if (this.#closed.has(tab)) return;
          const run = (): void => {
            if (this.isFull && changes.some(([, value]) => value !== undefined))
              reject(new Error("The storage is full"));
            else this.#storage.write(changes).then(resolve, reject);
          };
          if (this.isSlow) this.#requests.push({ owner: tab, run });
          else run();
        }),
    };
  }

  /** Does the oldest read or write that waits; false when none does. */
  step(): boolean {
    const write = this.#requests.shift();
    write?.run();
    return write !== undefined;
  }

  /** What is stored under the prefix. */
  stored(prefix: string): Promise<readonly (readonly [string, unknown])[]> {
    return this.#storage.list(prefix);
  }

  locksOf(tab: object): ClientLocks {
    return {
      request: (name, { ifAvailable = false }, callback) =>
        new Promise((done) => {
          const request: LockRequest = { owner: tab, callback, done };
          if (this.#closed.has(tab)) return;
          if (!this.#held.has(name)) this.#grant(name, request);
          else if (ifAvailable) done(callback(null));
          else this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), request]);
        }),
    };
  }

  /** The tab is gone, and with it its locks. */
  close(tab: object): void {
    this.#closed.add(tab);
    this.#requests = this.#requests.filter(({ owner }) => owner !== tab);
    for (const [name, waiting] of this.#waiting)
      this.#waiting.set(
        name,
        waiting.filter(({ owner }) => owner !== tab),
      );
    for (const [name, owner] of Array.from(this.#held)) if (owner === tab) this.#release(name);
  }

  #grant(name: string, { owner, callback, done }: LockRequest): void {
    this.#held.set(name, owner);
    const holding = callback({});
    done(holding);
    void Promise.resolve(holding).then(() => {
      if (this.#held.get(name) === owner) this.#release(name);
    });
  }

  #release(name: string): void {
    this.#held.delete(name);
    const [next, ...others] = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, others);
    if (next) this.#grant(name, next);
  }
}
