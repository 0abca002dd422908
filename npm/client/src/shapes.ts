import { encodeValue } from "@lunora/protocol";
import type { PokePartFrame } from "@lunora/protocol";

import { mutatorDatabase } from "./mutator-database.ts";
import { stepPokes } from "./pokes.ts";
import type { OpenPoke } from "./pokes.ts";
import { ShapeView, tableKey } from "./shape-view.ts";
import type { ShapesPart } from "./shapes-part.ts";
import type { View } from "./view.ts";

/** Shapes and mutators: `new LunoraClient({ url, shapes })`. */
export const shapes: ShapesPart = {
  view: ({ name, table }, args = {}, key, shard, onUse) => {
    const matches = (row: Record<string, unknown>): boolean =>
      Object.entries(args ?? {}).every(([field, value]) => !Object.hasOwn(row, field) || row[field] === value);
    return new ShapeView({ name, table, args: encodeValue(args) }, matches, key, shard, onUse) as never;
  },
  configure: (view, { matches }) => {
    if (matches && view instanceof ShapeView) view.matches = matches;
  },
  receive: (open, frame, views, lastMutationId, done) => {
    const { open: next, complete, evicted } = stepPokes(open, frame);
    if (evicted) for (const [view] of partsOf(evicted, views)) done(view as View, view.step({ type: "missed" }));
    if (complete) {
      for (const [view, parts] of partsOf(complete, views))
        done(view as View, view.step({ type: "poke", poke: { ...complete, parts }, lastMutationId }));
    }
    return next;
  },
  apply: (overlay, layer, host, touched) => {
    const { apply, args, mutationId, at } = layer;
    apply?.({ db: mutatorDatabase(overlay, layer, host, touched), mutationId, now: at }, args as never);
  },
  touched: ({ rows }, views) =>
    [...views.values()].filter((view) => view instanceof ShapeView && rows.has(tableKey(view.shard, view.table))),
};

/** The views that a poke is for, with their parts of it. */
function partsOf({ parts }: OpenPoke, views: ReadonlyMap<string, View>): Map<ShapeView, PokePartFrame[]> {
  const found = new Map<ShapeView, PokePartFrame[]>();
  for (const part of parts) {
    const view = views.get(part.shapeId);
    if (view instanceof ShapeView) found.set(view, [...(found.get(view) ?? []), part]);
  }
  return found;
}

export type { ShapesPart } from "./shapes-part.ts";
