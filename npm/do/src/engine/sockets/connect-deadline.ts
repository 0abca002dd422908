/** Tells of those for whom something did not come in time. One timer serves them all. */
export class ConnectDeadline<Waiting> {
  readonly #milliseconds: number;
  readonly #now: () => number;
  readonly #late: (waiting: Waiting) => void;
  /** Since when, epoch milliseconds; the first waits longest. */
  readonly #waiting = new Map<Waiting, number>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(milliseconds: number, now: () => number, late: (waiting: Waiting) => void) {
    this.#milliseconds = milliseconds;
    this.#now = now;
    this.#late = late;
  }

  watch(waiting: Waiting): void {
    this.#waiting.set(waiting, this.#now());
    this.#timer ??= this.#arm(this.#milliseconds);
  }

  /** It has come, or does not matter any more. */
  forget(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting) || this.#waiting.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(milliseconds: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#ring(), milliseconds);
  }

  #ring(): void {
    const now = this.#now();
    this.#timer = null;
    for (const [waiting, since] of this.#waiting) {
      const rest = since + this.#milliseconds - now;
      if (rest > 0) {
        // A clock that was set back makes nobody wait longer.
        this.#timer = this.#arm(Math.min(rest, this.#milliseconds));
        return;
      }
      this.#waiting.delete(waiting);
      this.#late(waiting);
    }
  }
}
