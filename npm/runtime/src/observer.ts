import type { ObservedEvent } from "./observed-event.ts";
import type { noteRefusal, observeAction, observeFetch, tellRequest } from "./observed-request.ts";

/** What code runs for: log lines that it writes belong to it. */
export interface ObservedScope {
  /** Absent where a live query runs again, which nobody has called. */
  readonly call?: string;
  readonly functionPath: string;
  /** Absent in the Worker. */
  readonly object?: string;
}

/** Disturbs an app on purpose. Comes with an observer, so that a worker that is deployed does not carry it. */
export interface Faults {
  /** What stands in for the stub of an object in a jurisdiction that cannot be reached; else `undefined`. */
  unreachable(jurisdiction: string | undefined): unknown;
  /**
   * Does what `inspect/fault` asks of the Worker itself; checks the fields.
   *
   * @throws LunoraError `BAD_REQUEST`
   */
  inject(fields: Readonly<Record<string, unknown>>): unknown;
}

/**
 * What happens in an app, told as it happens. Only development sets one: the engine and the Worker tell what they have
 * at hand and compute nothing unless somebody listens. No method may throw or wait. An event is the observer's own, what
 * it holds is the engine's: an observer that keeps one bounds it first, and changes nothing inside. Whatever puts events
 * together comes with the observer, so that a worker that is deployed does not carry it.
 */
export interface Observer {
  tell(event: ObservedEvent): void;
  /** A short text that no other has in this run: for calls. */
  nextId(): string;
  /** Runs code, with everything that it leads to, as that of a call; answers and throws what it does. */
  within<Result>(scope: ObservedScope, run: () => Result): Result;
  /** What `within` was given around the code that asks. */
  current(): ObservedScope | undefined;
  /** What a shard of this name tells with: the `ShardWatch` of `@lunora/do`. */
  shard(object: string, now: () => number): unknown;
  readonly requested: typeof tellRequest;
  readonly action: typeof observeAction;
  readonly fetched: typeof observeFetch;
  readonly refused: typeof noteRefusal;
  readonly faults: Faults;
}

const KEY = Symbol.for("lunora.observer");

/** The observer of this isolate; `undefined` in production. Whoever sets one does so before the app's code runs. */
export function observer(): Observer | undefined {
  return (globalThis as { readonly [KEY]?: Observer })[KEY];
}
