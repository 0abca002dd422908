// Types alone: what is in the file runs in Workers.
import type { ShardFacts } from "../../../do/src/engine/admin/inspect/shard-answer.ts";

/** What the timeline knows of an object. Times are epoch milliseconds. */
export interface Activity {
  readonly lastEventAt: number;
  readonly lastWriteAt: number | null;
  /** Changes a second, over the last ten. */
  readonly opsPerSecond: number;
  readonly sockets: number;
  readonly region: string | null;
}

/** A shard as the list shows it: the registry's name, and what the timeline knows. */
export interface ShardSummary {
  readonly name: string;
  readonly tier?: string;
  /** `null` where nothing was heard of it. */
  readonly activity: Activity | null;
}

export interface ShardPage {
  readonly shards: readonly ShardSummary[];
  readonly cursor: string | null;
}

/** One shard: what it says of itself, and what the worker and the registry add. */
export interface ShardDetail extends ShardFacts {
  readonly region: string | null;
  /** When it was first written to; `null` for one that the registry does not know. */
  readonly memberSince?: number | null;
}

export interface Clients {
  readonly sockets: readonly {
    readonly socket: string;
    readonly userId: string | null;
    readonly clientId: string | null;
    readonly openedAt?: number;
    readonly subscriptions: readonly {
      readonly id: string;
      readonly kind: string;
      readonly name: string;
      readonly args?: unknown;
      readonly toSeq?: number;
    }[];
  }[];
  readonly clients: readonly {
    readonly userId: string | null;
    readonly clientId: string;
    readonly watermark: number | string;
    readonly seenAt?: number;
  }[];
}

export interface Clause {
  readonly clause: string;
  readonly columns: readonly string[];
  readonly operands: readonly unknown[];
  readonly value?: unknown;
  /** `null` without a row. */
  readonly holds: boolean | null;
  readonly source: "where" | "policy" | "softDelete";
  /** What a combination consists of. */
  readonly parts?: readonly Clause[];
}

export interface ShapeModel {
  readonly name: string;
  readonly table: string;
  readonly args?: unknown;
  readonly columns?: readonly string[];
  readonly predicate?: readonly Clause[];
  readonly sql?: string;
  readonly subscribers?: number;
  readonly members?: number;
  /** Why it cannot be used. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Why {
  readonly isMember: boolean;
  readonly clauses: readonly Clause[];
  readonly sql?: string;
  readonly row: Readonly<Record<string, unknown>> | null;
}
