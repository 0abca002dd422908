import { encodeValue } from "@lunora/protocol";

import { runMutator } from "./run-mutator.ts";
import { ShapeView, tableKey } from "./shape-view.ts";
import type { ShapesPart } from "./shapes-part.ts";

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
  apply: runMutator,
  touched: ({ rows }, views) =>
    [...views.values()].filter((view) => view instanceof ShapeView && rows.has(tableKey(view.shard, view.table))),
};

export type { ShapesPart } from "./shapes-part.ts";
