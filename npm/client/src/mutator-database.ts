import { CodedError } from "@lunora/errors";

import { deriveRowId } from "./overlay.ts";
import type { Layer, LayerHost, OptimisticRow, Overlay } from "./overlay.ts";
import { ShapeView, tableKey } from "./shape-view.ts";
import type { MutatorDatabase, MutatorRow } from "./types.ts";
import type { View } from "./view.ts";

/** A database of one run of a mutator's client half. */
export interface MutatorRun {
  readonly db: MutatorDatabase;
  /** Whether this is the promise of the last call, which is settled. */
  isLast(promise: unknown): boolean;
  /** The mutator has ended, or was given up. */
  close(): void;
}

/** The rows of the shapes on the layer's shard, with the layers before it; changes go into the overlay at once. */
export function openMutatorRun(overlay: Overlay, layer: Layer, host: LayerHost, touched: Set<View>): MutatorRun {
  const inserted = new Map<string, number>();
  let isClosed = false;
  let last: Promise<unknown> | undefined;
  const shapes = (table: string): ShapeView[] =>
    [...host.watched.all.values()].filter(
      (view): view is View & ShapeView =>
        view instanceof ShapeView && view.shard === layer.shard && view.table === table,
    );
  const changes = (table: string): Map<string, OptimisticRow> => {
    const key = tableKey(layer.shard, table);
    let rows = overlay.rows.get(key);
    if (rows === undefined) overlay.rows.set(key, (rows = new Map()));
    return rows;
  };
  const get = (table: string, id: string): MutatorRow | null => {
    const changed = changes(table).get(id);
    if (changed) return (changed.row ?? null) as MutatorRow | null;
    for (const { state } of shapes(table)) if (state.rows.has(id)) return state.rows.get(id) as MutatorRow;
    return null;
  };
  const set = (table: string, id: string, row: unknown): void => {
    changes(table).set(id, { row, seq: host.mutations.seqOf(layer.mutationId) });
    for (const view of shapes(table)) touched.add(view);
  };
  /** What is called while the mutator runs happens now, whoever awaits it when. */
  const call = <Value>(work: () => Value): Promise<Value> => {
    const promise = isClosed
      ? Promise.reject(
          new CodedError("CTX_CLOSED", 500, `The client half of \`${layer.path}\` used \`db\` after its end`),
        )
      : Promise.resolve(work());
    last = promise;
    return promise;
  };
  const db: MutatorDatabase = {
    get: (table, id) => call(() => get(table, id)),
    rows: (table) =>
      call(() => {
        const ids = new Set(shapes(table).flatMap(({ state }) => [...state.rows.keys()]));
        for (const id of changes(table).keys()) ids.add(id);
        return [...ids].map((id) => get(table, id)).filter((row) => row !== null);
      }),
    insert: (table, document) =>
      call(() => {
        const n = inserted.get(table) ?? 0;
        inserted.set(table, n + 1);
        const id = deriveRowId(layer, table, n);
        set(table, id, { ...document, _id: id, _creationTime: layer.at });
        return id;
      }),
    patch: (table, id, fields) =>
      call(() => {
        const row = get(table, id);
        if (row) set(table, id, { ...row, ...fields });
      }),
    replace: (table, id, document) =>
      call(() => {
        const row = get(table, id);
        if (row) set(table, id, { ...document, _id: id, _creationTime: row._creationTime });
      }),
    delete: (table, id) => call(() => set(table, id, undefined)),
  };
  return { db, isLast: (promise) => promise === last, close: () => void (isClosed = true) };
}
