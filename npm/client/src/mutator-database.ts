import { deriveRowId } from "./overlay.ts";
import type { Layer, LayerHost, OptimisticRow, Overlay } from "./overlay.ts";
import { ShapeView, tableKey } from "./shape-view.ts";
import type { MutatorDatabase, MutatorRow } from "./types.ts";
import type { View } from "./view.ts";

/** The rows of the shapes on the layer's shard, with the layers before it; changes go into the overlay. */
export function mutatorDatabase(
  overlay: Overlay,
  layer: Layer,
  { views, seqOf }: LayerHost,
  touched: Set<View>,
): MutatorDatabase {
  const inserted = new Map<string, number>();
  const shapes = (table: string): ShapeView[] =>
    [...views.values()].filter(
      (view): view is View & ShapeView =>
        view instanceof ShapeView && view.shard === layer.shard && view.table === table,
    );
  const changes = (table: string): Map<string, OptimisticRow> => {
    const key = tableKey(layer.shard, table);
    let rows = overlay.rows.get(key);
    if (rows === undefined) overlay.rows.set(key, (rows = new Map()));
    return rows;
  };
  const get = (table: string, id: string): MutatorRow | undefined => {
    const changed = changes(table).get(id);
    if (changed) return changed.row as MutatorRow | undefined;
    for (const { state } of shapes(table)) if (state.rows.has(id)) return state.rows.get(id) as MutatorRow;
    return undefined;
  };
  const set = (table: string, id: string, row: unknown): void => {
    changes(table).set(id, { row, seq: seqOf(layer.mutationId) });
    for (const view of shapes(table)) touched.add(view);
  };
  return {
    get,
    rows: (table) => {
      const ids = new Set(shapes(table).flatMap(({ state }) => [...state.rows.keys()]));
      for (const id of changes(table).keys()) ids.add(id);
      return [...ids].map((id) => get(table, id)).filter((row) => row !== undefined);
    },
    insert: (table, document) => {
      const n = inserted.get(table) ?? 0;
      inserted.set(table, n + 1);
      const id = deriveRowId(layer, table, n);
      set(table, id, { ...document, _id: id, _creationTime: layer.at });
      return id;
    },
    patch: (table, id, fields) => {
      const row = get(table, id);
      if (row) set(table, id, { ...row, ...fields });
    },
    replace: (table, id, document) => {
      const row = get(table, id);
      if (row) set(table, id, { ...document, _id: id, _creationTime: row._creationTime });
    },
    delete: (table, id) => set(table, id, undefined),
  };
}
