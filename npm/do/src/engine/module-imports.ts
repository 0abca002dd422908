import { LunoraError } from "@lunora/errors";

import { within } from "./live/within.ts";

/** How long an import may take, milliseconds: the shard's queue waits for it. */
export const IMPORT_DEADLINE = 10_000;

type Exports = Record<string, unknown>;

/**
 * Imports the app's modules. One whose top level waits for what does not come is waited for once;
 * after that whoever asks is refused at once, until it has come after all.
 */
export class ModuleImports {
  readonly #deadline: number;
  /** Imports that were late, by what was asked for, and have not settled yet. */
  readonly #late = new Map<string, Promise<Exports>>();

  constructor(deadline: number = IMPORT_DEADLINE) {
    this.#deadline = deadline;
  }

  /** `name` is what is asked for, in messages as well. Throws `MODULE_TIMEOUT`. */
  async import(name: string, load: () => Promise<Exports>): Promise<Exports> {
    if (this.#late.has(name)) throw this.#refusal(name);
    const loading = load();
    return within(loading, this.#deadline, () => {
      this.#late.set(name, loading);
      const forget = (): boolean => this.#late.delete(name);
      loading.then(forget, forget);
      return this.#refusal(name);
    });
  }

  #refusal(name: string): LunoraError {
    return new LunoraError("MODULE_TIMEOUT", `the module of \`${name}\` was not imported within ${this.#deadline} ms`);
  }
}
