/** A mutator on its way: shown already, decided by the server later. In the form of TanStack DB's transactions. */
export class MutatorTransaction<Result> {
  #state: "persisting" | "completed" | "failed" = "persisting";
  #error: unknown;
  /**
   * `promise` resolves to the server's result when the server has stored it and every collection shows
   * the stored version; rejects with the refusal when what was shown has been taken back. Not waiting
   * for it is no unhandled rejection.
   */
  readonly isPersisted: { readonly promise: Promise<Result> };

  constructor(call: Promise<Result>) {
    this.isPersisted = { promise: call };
    call.then(
      () => (this.#state = "completed"),
      (error: unknown) => {
        this.#state = "failed";
        this.#error = error;
      },
    );
  }

  get state(): "persisting" | "completed" | "failed" {
    return this.#state;
  }

  /** Why the state is `failed`. */
  get error(): unknown {
    return this.#error;
  }
}
