import { LunoraError } from "@lunora/errors";

import { readMeta, writeMeta } from "../meta.ts";
import type { ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, text } from "./arguments.ts";

const META = "pause";

interface Pause {
  readonly id: string;
  /** Epoch milliseconds after which writes go on by themselves. */
  readonly until: number;
}

/** Refuses the shard's mutations for a while. Ends by itself, so that an exporter that died stops nobody for long. */
export class WritePause {
  readonly #host: ShardAdminHost;
  #pause: Pause | undefined;

  constructor(host: ShardAdminHost) {
    this.#host = host;
    const stored = readMeta(host.sql, META);
    if (stored !== undefined && stored !== "") this.#pause = JSON.parse(stored) as Pause;
    host.engine.writesRefused = () => this.#refusal();
  }

  #refusal(): LunoraError | undefined {
    if (this.#pause === undefined || this.#pause.until <= this.#host.now()) return undefined;
    return new LunoraError("WRITES_PAUSED", `\`${this.#host.engine.name}\` takes no writes while it is exported`, {
      data: { until: this.#pause.until },
    });
  }

  /** Begins, or goes on for longer. When this resolves nothing that was written is still on its way. */
  async begin(argument: unknown): Promise<void> {
    const fields = fieldsOf(argument);
    const id = text(fields, "id");
    const until = positive(fields, "until");
    const { engine, sql } = this.#host;
    await engine.exclusively(async () => {
      // Gone on with after writes were let through, it would have no common instant any more.
      if (this.#pause?.id === id) this.assertHeld(id);
      if (this.#pause !== undefined && this.#pause.id !== id && this.#pause.until > this.#host.now())
        throw new LunoraError("CONFLICT", `the writes of \`${engine.name}\` are paused by another export`);
      this.#pause = { id, until };
      writeMeta(sql, META, JSON.stringify(this.#pause));
    });
    await this.#host.sync();
  }

  /** Fails when writes were let through since the pause began. */
  assertHeld(id: string): void {
    if (this.#pause?.id === id && this.#refusal() !== undefined) return;
    throw new LunoraError(
      "EXPORT_EXPIRED",
      `the writes of \`${this.#host.engine.name}\` are not paused any more: the export has no common instant`,
    );
  }

  end(id: string): void {
    if (this.#pause?.id !== id) return;
    this.#pause = undefined;
    writeMeta(this.#host.sql, META, "");
  }
}
