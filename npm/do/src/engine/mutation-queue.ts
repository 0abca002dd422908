/** Runs one at a time, in the order in which places were taken. */
export class MutationQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Takes the next place now; runs when every place before has ended. */
  enqueue<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => {});
    return result;
  }
}
