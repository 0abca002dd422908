import { LunoraError } from "@lunora/errors";

import { within } from "./live/within.ts";
import { readMeta, writeMeta } from "./meta.ts";
import type { ShardHost } from "./shard-host.ts";

/** How long the registry may take, milliseconds. */
const REGISTER_DEADLINE = 10_000;

/** Makes the shard known, before the first of its groups: a name too many in the registry is harmless, one too few is lost data. */
export class Registration {
  readonly #host: Pick<ShardHost, "sql" | "register">;
  readonly #name: string;
  #isDone: boolean;

  constructor(host: Pick<ShardHost, "sql" | "register">, name: string) {
    this.#host = host;
    this.#name = name;
    this.#isDone = readMeta(host.sql, "registered") !== undefined;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Throws `SHARD_UNAVAILABLE`, and what a namespace says that cannot be restricted. */
  async complete(): Promise<void> {
    try {
      await within(
        this.#host.register(this.#name),
        REGISTER_DEADLINE,
        () => new Error(`the registry did not answer within ${REGISTER_DEADLINE} ms`),
      );
    } catch (error) {
      if (error instanceof LunoraError) throw error;
      throw new LunoraError(
        "SHARD_UNAVAILABLE",
        "the shard could not make itself known to the registry; nothing was written",
        { cause: error },
      );
    }
    writeMeta(this.#host.sql, "registered", "1");
    this.#isDone = true;
  }
}
