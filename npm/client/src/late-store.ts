import { callSafely } from "./observable.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Store } from "./types.ts";

/**
 * A store whose snapshot is made when it is asked for, and whose listeners are told once for all
 * that happens in one turn. Its last listener may come back in the same turn, as React's do.
 */
export abstract class LateStore<Value> implements Store<Value> {
  protected readonly environment: ClientEnvironment;
  readonly #listeners = new Set<{ readonly listener: () => void }>();
  #snapshot: { readonly value: Value } | undefined;
  #willTell = false;
  #isUsed = false;

  constructor(environment: ClientEnvironment) {
    this.environment = environment;
  }

  protected abstract make(): Value;

  /** The first listener came, or the last one has gone. */
  protected abstract onUse(isUsed: boolean): void;

  readonly subscribe = (listener: () => void): (() => void) => {
    const entry = { listener };
    this.#listeners.add(entry);
    this.#use();
    return () => {
      if (this.#listeners.delete(entry)) this.environment.setTimer(0, () => this.#use());
    };
  };

  readonly getSnapshot = (): Value => (this.#snapshot ??= { value: this.make() }).value;

  #use(): void {
    const isUsed = this.#listeners.size > 0;
    if (isUsed === this.#isUsed) return;
    this.#isUsed = isUsed;
    this.onUse(isUsed);
  }

  /** Something is another than before. */
  protected changed(): void {
    this.#snapshot = undefined;
    if (this.#willTell) return;
    this.#willTell = true;
    queueMicrotask(() => {
      this.#willTell = false;
      for (const { listener } of Array.from(this.#listeners)) callSafely(listener, this.environment.report);
    });
  }
}
