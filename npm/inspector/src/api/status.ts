import type { CommittedChange, EventOf, TimelineEvent } from "./events.ts";

export interface Status {
  readonly app: string;
  readonly version: string;
  /** Increases with every reload of the worker. */
  readonly generation: number;
  readonly worker: "serving" | "starting" | "failed";
  readonly url: string | null;
  readonly uptimeMs: number;
  readonly jurisdictions: readonly string[];
  readonly pinned: string | null | boolean;
  /** Whether the worker can be disturbed on purpose. */
  readonly faults?: boolean;
  /** The chaos that is played. */
  readonly chaos?: { readonly seed: number; readonly step: number; readonly startedAt: number } | null;
  readonly timeline: {
    readonly entries: number;
    readonly bytes: number;
    readonly first: number;
    readonly next: number;
    readonly dropped: number;
  };
  readonly mail: { readonly count: number; readonly unread: number; readonly bytes: number };
}

export interface EventPage {
  readonly events: readonly TimelineEvent[];
  readonly next: number;
  readonly first: number;
}

/** A call and all it led to; `others` are calls of the same commit. */
export interface Trace {
  readonly request?: EventOf<"request"> | null;
  readonly call?: EventOf<"call"> | null;
  /** What made it. */
  readonly parent?: EventOf<"call" | "request"> | null;
  /** Calls that it made itself. */
  readonly children?: readonly EventOf<"call">[];
  readonly commit?: EventOf<"commit"> | null;
  readonly ops?: readonly CommittedChange[];
  readonly pokes?: readonly EventOf<"poke">[];
  readonly logs?: readonly EventOf<"log">[];
}
