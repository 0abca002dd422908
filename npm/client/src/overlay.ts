import { decodeValue, deriveId } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";

import type { OutboxEntry } from "./outbox.ts";
import { QueryView } from "./query-view.ts";
import type { ShapesPart } from "./shapes-part.ts";
import type { MutatorApply, OptimisticStore, OptimisticUpdate } from "./types.ts";
import type { View } from "./view.ts";

/** What an undecided mutation shows in advance; its `args` are decoded. */
export interface Layer extends Omit<OutboxEntry, "seq" | "isTried"> {
  readonly update: OptimisticUpdate<never> | undefined;
  readonly apply: MutatorApply<never> | undefined;
}

/** Where layers find what they change. */
export interface LayerHost {
  readonly shapes: ShapesPart | undefined;
  readonly watched: {
    readonly all: ReadonlyMap<string, View>;
    find(reference: FunctionReference, args: unknown): QueryView | undefined;
  };
  readonly mutations: {
    /** The mutation's place in the sequence that `lastMutationId` counts; infinite for another client's. */
    seqOf(mutationId: string): number;
  };
  /** Wraps everything that comes from outside. */
  readonly transact: (work: () => void) => void;
  report(error: unknown): void;
}

/** A row as optimistic changes leave it; no `row` when they remove it. */
export interface OptimisticRow {
  readonly row: unknown;
  /** Of the last mutation that changed it. */
  readonly seq: number;
}

/** The changes of all layers, one upon the other. */
export interface Overlay {
  readonly results: Map<View, { readonly data: unknown }>;
  /** By {@link tableKey}, then by id. */
  readonly rows: Map<string, Map<string, OptimisticRow>>;
}

export function newOverlay(): Overlay {
  return { results: new Map(), rows: new Map() };
}

/**
 * Puts a layer upon the others; `touched` gets the views that it changes. A promise when that is not
 * over: nothing goes on, and nothing is shown, until it has settled.
 */
export function addLayer(
  overlay: Overlay,
  layer: Layer,
  host: LayerHost,
  touched: Set<View>,
): Promise<void> | undefined {
  const { update, args, mutationId } = layer;
  const { results } = overlay;
  const { watched } = host;
  const store: OptimisticStore = {
    getQuery: (reference, ...[queryArgs]) => {
      const view = watched.find(reference, queryArgs);
      return (view && (results.get(view) ?? view.state.base)?.data) as never;
    },
    getAllQueries: ({ path }) =>
      Array.from(watched.all.values()).flatMap((view) => {
        if (!(view instanceof QueryView) || view.name !== path) return [];
        const shown = results.get(view) ?? view.state.base;
        return shown ? [{ args: decodeValue(view.args) as never, value: shown.data as never }] : [];
      }),
    setQuery: (reference, queryArgs, data) => {
      const view = watched.find(reference, queryArgs);
      // From then on the server's own result has it.
      if (!view || host.mutations.seqOf(mutationId) <= view.state.lastMutationId) return;
      results.set(view, { data });
      touched.add(view);
    },
    deriveId: (table, n) => deriveRowId(layer, table, n),
  };
  try {
    update?.(store, args as never);
    return host.shapes?.apply(overlay, layer, host, touched);
  } catch (error) {
    host.report(error);
    return undefined;
  }
}

/** The id of the n-th row that the mutation inserts into a table. */
export function deriveRowId({ mutationId, shard }: Layer, table: string, n: number): string {
  const [, value] = shard.split("=");
  return deriveId(mutationId, table, n, value === undefined ? value : decodeURIComponent(value));
}
