import type { ErrorBody } from "@lunora/errors";
import { deriveId, isDerivable } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity } from "@lunora/server";

import type { ClientOf } from "./client-ledger.ts";
import type { Repeatable } from "./idempotency.ts";
import { newId } from "./shard-scope.ts";
import type { ShardScope } from "./shard-scope.ts";
import type { Arrival } from "./observing/group-watch.ts";
import type { Table } from "./table.ts";

/** Positions of the op-log, both included. */
export interface WrittenRange {
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** How a mutation ended. */
export type MutationOutcome =
  | {
      readonly ok: true;
      readonly result?: unknown;
      /** Characters of the result's JSON; not known of calls without a place. */
      readonly length?: number;
      /** Where its own changes stand in the op-log; absent when it changed nothing, or had happened before. */
      readonly written?: WrittenRange;
    }
  | { readonly ok: false; readonly status: number; readonly error: ErrorBody };

/** A mutation that waits for its turn. */
export interface MutationCall {
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
  readonly identity: Identity | null;
  readonly mutationId?: string | undefined;
  /** It is this job of the scheduler, which happens once. */
  readonly jobId?: string | undefined;
  /** Its result is kept for repetitions. A call with a place in a client's sequence needs none. */
  readonly repeatable?: Repeatable | undefined;
  readonly place?: MutationPlace | undefined;
  /** Who calls without a place, when that is known. */
  readonly client?: ClientOf | undefined;
  /** Set while somebody listens. */
  observed?: Arrival | undefined;
  /** Finds the function, and asks whether the caller may; throws coded errors. */
  admit(): FunctionRegistryEntry | Promise<FunctionRegistryEntry>;
  /** Called once, when the outcome is part of what is on its way to disk. */
  done(outcome: MutationOutcome): void;
}

/** A place in the sequence of a client. */
export interface MutationPlace {
  readonly client: ClientOf;
  /** Unchecked. */
  readonly clientSeq: unknown;
  /** Results up to here have arrived. */
  readonly received?: number | undefined;
  /** Shared by the entries of one push. */
  readonly push?: OpenPush | undefined;
}

/** A push whose entries have not all ended. */
export interface OpenPush {
  /** One of its entries has to come under another number: so have those behind it, which must not overtake it. */
  hasMisplaced: boolean;
}

/** Gives out the ids of the rows that one mutation inserts: derived from its own id where that has the form. */
export function idSource(scope: ShardScope, mutationId: string | undefined): (table: Table) => string {
  if (mutationId === undefined || !isDerivable(mutationId)) return (table) => newId(scope, table);
  const counts = new Map<string, number>();
  return ({ name, isGlobal }) => {
    const n = counts.get(name) ?? 0;
    counts.set(name, n + 1);
    return deriveId(mutationId, name, n, isGlobal ? undefined : (scope.value ?? undefined));
  };
}
