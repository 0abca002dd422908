import { runMutator } from "./run-mutator.ts";
import { ShapeView, tableKey } from "./shape-view.ts";
import type { ShapesPart } from "./shapes-part.ts";
import type { LiveShape } from "./types.ts";
import type { View, ViewPlace } from "./view.ts";

/** Shapes and mutators: `new LunoraClient({ url, shapes })`. */
export const shapes: ShapesPart = {
  shape: (views, reference, args = {}, { matches } = {}) => {
    const equals = (row: Record<string, unknown>): boolean =>
      Object.entries(args ?? {}).every(([field, value]) => !Object.hasOwn(row, field) || row[field] === value);
    const make = (place: ViewPlace): View => new ShapeView(place, reference, equals) as never;
    const view = views.view(`shape ${reference.name}`, reference, args, make);
    if (matches && view instanceof ShapeView) view.matches = matches;
    return view as View & LiveShape;
  },
  apply: runMutator,
  touched: ({ rows }, views) =>
    [...views.values()].filter((view) => view instanceof ShapeView && rows.has(tableKey(view.shard, view.table))),
};

export type { ShapesPart } from "./shapes-part.ts";
