import { needsSize, NO_PRESSURE, sample, warningText } from "./pressure.ts";
import type { Pressure } from "./pressure.ts";
import type { ShardHost } from "./shard-host.ts";

/** Counts what a shard does, and warns of what is too much for one. */
export class PressureGauge {
  readonly #host: ShardHost;
  readonly #shard: string;
  #pressure = NO_PRESSURE;

  constructor(host: ShardHost, shard: string) {
    this.#host = host;
    this.#shard = shard;
  }

  get pressure(): Pressure {
    return this.#pressure;
  }

  /** So many mutations have run. */
  feel(mutations: number): void {
    const now = this.#host.now();
    const bytes = needsSize(this.#pressure, now) ? this.#host.databaseSize() : undefined;
    const { pressure, warnings } = sample(this.#pressure, mutations, now, bytes);
    this.#pressure = pressure;
    for (const warning of warnings) console.warn(warningText(this.#shard, warning));
  }
}
