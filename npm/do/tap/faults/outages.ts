import type { Faults, ObservedFault } from "@lunora/runtime";

import { causeIn, workerFaultIn } from "./fault.ts";
import type { Fields } from "./fault.ts";

/** As the platform throws when it has lost an object on the way: whoever may repeat the call does. */
function lost(): Error {
  return Object.assign(new Error("Network connection lost."), { retryable: true });
}

/** Stands in for a stub: whatever is called fails. */
const UNREACHABLE: unknown = new Proxy(
  {},
  // Whoever waits for it must not take it for a promise.
  { get: (_, name) => (name === "then" ? undefined : () => Promise.reject(lost())) },
);

/** Regions whose objects this isolate does not reach for a while. */
export class Outages implements Faults {
  /** Until when, epoch milliseconds, by region. */
  readonly #until = new Map<string | null, number>();
  readonly #tell: (event: ObservedFault) => void;
  readonly #now: () => number;

  constructor(tell: (event: ObservedFault) => void, now: () => number) {
    this.#tell = tell;
    this.#now = now;
  }

  unreachable(jurisdiction: string | undefined): unknown {
    if (this.#until.size === 0) return undefined;
    const region = jurisdiction ?? null;
    const until = this.#until.get(region);
    if (until === undefined) return undefined;
    if (this.#now() < until) return UNREACHABLE;
    this.#until.delete(region);
    return undefined;
  }

  inject(fields: Fields): unknown {
    const { fault, region, ms } = workerFaultIn(fields);
    const cause = causeIn(fields);
    const at = this.#now();
    if (ms === 0) this.#until.delete(region);
    else this.#until.set(region, at + ms);
    const details = { ms };
    this.#tell({ type: "fault", at, fault, state: "happened", ...cause, region, details });
    return { state: "happened", details };
  }
}
