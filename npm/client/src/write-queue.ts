import type { ClientStorage } from "./storage.ts";

/** Writes to a storage in order, what gathers meanwhile in one go. */
export class WriteQueue {
  readonly #storage: ClientStorage;
  readonly #start: Promise<unknown>;
  readonly #onError: (error: unknown) => void;
  #pending = new Map<string, unknown>();
  /** Whether something is in memory that the storage could not take. */
  hasFailed = false;
  /** Keys whose removal failed. */
  readonly #removals = new Set<string>();
  #running: Promise<void> | undefined;

  /** Nothing is written before `start` resolves. */
  constructor(storage: ClientStorage, start: Promise<unknown>, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#start = start;
    this.#onError = onError;
  }

  /** `undefined` removes. */
  put(key: string, value: unknown): void {
    this.#pending.set(key, value);
    this.#running ??= this.#run();
  }

  /**
   * Resolves when everything put until now has been written, or has failed and been told; to
   * whether all that should be gone is gone.
   */
  async settled(): Promise<boolean> {
    while (this.#running) await this.#running;
    return this.#removals.size === 0;
  }

  async #run(): Promise<void> {
    // What one turn puts goes together.
    await this.#start;
    while (this.#pending.size > 0) {
      const changes = [...this.#pending];
      this.#pending = new Map();
      try {
        await this.#storage.write(changes);
      } catch (error) {
        this.#onError(error);
        for (const [key, value] of changes) {
          if (await this.#try(key, value)) continue;
          this.hasFailed = true;
          await this.#remove(key);
        }
      }
      for (const key of Array.from(this.#removals)) await this.#remove(key);
    }
    this.#running = undefined;
  }

  async #try(key: string, value: unknown): Promise<boolean> {
    try {
      await this.#storage.write([[key, value]]);
      return true;
    } catch {
      // The same failure has been told for all that was to be written.
      return false;
    }
  }

  /** What could not be written is not to be found as it was before: an earlier page's number is worse than none. */
  async #remove(key: string): Promise<void> {
    this.#removals.delete(key);
    if (!this.#pending.has(key) && !(await this.#try(key, undefined))) this.#removals.add(key);
  }
}
