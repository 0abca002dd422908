const INTERVAL = 1000;

export interface QueryState<Data> {
  /** The last answer, also while a newer one failed. */
  readonly data: Data | undefined;
  /** Why the last round failed, if it did. */
  readonly error: unknown;
  /** Nothing has come back yet. */
  readonly isPending: boolean;
}

/** A query that is asked every second while anyone looks at it. Shared by all that ask the same. */
export class PolledQuery<Data> {
  readonly #load: (signal: AbortSignal) => Promise<Data>;
  readonly #listeners = new Set<() => void>();
  #state: QueryState<Data> = { data: undefined, error: undefined, isPending: true };
  #round: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(load: (signal: AbortSignal) => Promise<Data>) {
    this.#load = load;
  }

  readonly getState = (): QueryState<Data> => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) void this.refetch();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  /** Asks now. Drops a round under way: it may have looked before the change that this one is to show. */
  readonly refetch = async (): Promise<void> => {
    this.#stop();
    const round = new AbortController();
    this.#round = round;
    try {
      const data = await this.#load(round.signal);
      if (!round.signal.aborted) this.#settle({ data: this.#unlessSame(data), error: undefined, isPending: false });
    } catch (error) {
      if (!round.signal.aborted) this.#settle({ data: this.#state.data, error, isPending: false });
    }
    if (!round.signal.aborted && this.#listeners.size > 0) this.#timer = setTimeout(this.#poll, INTERVAL);
  };

  /** Asks now if anyone looks. */
  refresh(): void {
    if (this.#listeners.size > 0) void this.refetch();
  }

  readonly #poll = (): void => {
    if (document.hidden) this.#timer = setTimeout(this.#poll, INTERVAL);
    else void this.refetch();
  };

  #stop(): void {
    clearTimeout(this.#timer);
    this.#round?.abort();
  }

  #settle(state: QueryState<Data>): void {
    const { data, error, isPending } = this.#state;
    if (data === state.data && error === state.error && isPending === state.isPending) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** Most rounds bring nothing new; the same object keeps React from rendering them. */
  #unlessSame(data: Data): Data {
    const last = this.#state.data;
    return last !== undefined && JSON.stringify(last) === JSON.stringify(data) ? last : data;
  }
}
