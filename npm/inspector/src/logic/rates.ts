/** Counts per second of the last while, for each name. Seconds are epoch seconds. */
export class Rates {
  readonly #seconds: number;
  readonly #counts: Map<string, Map<number, number>> = new Map();

  /** `seconds` is how far back counts are kept. */
  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  add(name: string, at: number, amount: number): void {
    const second = Math.floor(at / 1000);
    let counts = this.#counts.get(name);
    if (counts === undefined) this.#counts.set(name, (counts = new Map()));
    counts.set(second, (counts.get(second) ?? 0) + amount);
    if (counts.size <= this.#seconds) return;
    for (const old of counts.keys()) if (old <= second - this.#seconds) counts.delete(old);
  }

  /** Counts of the seconds that end with the one of `now`, oldest first. */
  series(name: string, now: number): { readonly seconds: number[]; readonly counts: number[] } {
    const last = Math.floor(now / 1000);
    const seconds = Array.from({ length: this.#seconds }, (_, index) => last - this.#seconds + 1 + index);
    const counts = this.#counts.get(name);
    return { seconds, counts: seconds.map((second) => counts?.get(second) ?? 0) };
  }

  /** Per second, over the last five full seconds. */
  current(name: string, now: number): number {
    const counts = this.#counts.get(name);
    if (counts === undefined) return 0;
    const last = Math.floor(now / 1000);
    let sum = 0;
    for (let second = last - 5; second < last; second += 1) sum += counts.get(second) ?? 0;
    return sum / 5;
  }
}
