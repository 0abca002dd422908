interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Lets everything run that waits for nothing but other promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that passes when it is told to. */
export class VirtualClock {
  now = 1_700_000_000_000;
  readonly #timers = new Set<Timer>();

  readonly setTimer = (milliseconds: number, callback: () => void): (() => void) => {
    const timer: Timer = { at: this.now + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Fires what is due, in order, and lets each one's consequences run. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.now + milliseconds;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) if (timer.at <= until && timer.at < (next?.at ?? Infinity)) next = timer;
      if (next === undefined) break;
      this.#timers.delete(next);
      this.now = next.at;
      next.callback();
      await settle();
    }
    this.now = until;
    await settle();
  }
}
