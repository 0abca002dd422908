import type { Store } from "./types.ts";

/** A store that somebody else sets. Methods are bound: they are handed around. */
export class Observable<Value> implements Store<Value> {
  readonly #listeners = new Set<() => void>();
  #snapshot: Value;

  constructor(snapshot: Value) {
    this.#snapshot = snapshot;
  }

  /** The first listener came, or the last one went. */
  declare readonly onUse?: (store: never, isUsed: boolean) => void;

  readonly subscribe = (listener: () => void): (() => void) => {
    // One of its own for each, also where the same listener comes twice.
    const tell = (): void => listener();
    this.#listeners.add(tell);
    if (this.#listeners.size === 1) this.onUse?.(this as never, true);
    return () => {
      if (this.#listeners.delete(tell) && !this.isUsed) this.onUse?.(this as never, false);
    };
  };

  readonly getSnapshot = (): Value => this.#snapshot;

  get isUsed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Sets it; whether it is another than before. */
  change(snapshot: Value): boolean {
    const isOther = snapshot !== this.#snapshot;
    this.#snapshot = snapshot;
    return isOther;
  }

  /** A listener that throws does not keep the others from being told. */
  notify(report: (error: unknown) => void): void {
    for (const tell of Array.from(this.#listeners)) callSafely(tell, report);
  }
}

/** Calls what belongs to the app, which must not break what belongs to the client. */
export function callSafely(work: () => void, report: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    report(error);
  }
}
