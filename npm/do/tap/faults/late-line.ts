/** What to do, and whether its time has come. */
interface Waiting {
  readonly run: () => void;
  isDue: boolean;
}

/** Runs what it is given in the order in which it came, each as late as it is to be or as those before it make it. */
export class LateLine {
  readonly #now: () => number;
  readonly #later: (milliseconds: number, run: () => void) => void;
  readonly #waiting: Waiting[] = [];
  /** When the last of them is due, epoch milliseconds. */
  #lastDue = 0;

  constructor(now: () => number, later: (milliseconds: number, run: () => void) => void) {
    this.#now = now;
    this.#later = later;
  }

  add(milliseconds: number, run: () => void): void {
    if (milliseconds === 0 && this.#waiting.length === 0) return run();
    const now = this.#now();
    const due = Math.max(now + milliseconds, this.#waiting.length === 0 ? 0 : this.#lastDue);
    this.#lastDue = due;
    const waiting: Waiting = { run, isDue: false };
    this.#waiting.push(waiting);
    this.#later(due - now, () => {
      // By the timers and not by the clock, which may be a moment behind them.
      waiting.isDue = true;
      while (this.#waiting[0]?.isDue === true) this.#waiting.shift()?.run();
    });
  }
}
