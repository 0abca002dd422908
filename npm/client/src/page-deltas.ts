import { applyPageOperations, decodeValue, pageOf, withPage } from "@lunora/protocol";

import { restart } from "./query-state.ts";
import type { TakeDelta } from "./query-state.ts";

/**
 * Lets the server send what changed in a list or a page, instead of all of it:
 * `new LunoraClient({ url, pageDeltas })`. A run counts when its last delta is there, which is the one
 * with a cursor.
 */
export const pageDeltas: TakeDelta = (state, { delta, version, cursor, epoch }, lastMutationId) => {
  const { op, key, value } = delta;
  const run = [...state.run, { op, key, value: decodeValue(value) }];
  if (cursor === undefined || epoch === undefined) return [{ ...state, run }, []];
  const rows = state.status === "live" && state.base ? pageOf(state.base.data) : undefined;
  const changed = rows && applyPageOperations(rows, run);
  if (!state.base || changed === undefined) return restart(state);
  return [
    {
      ...state,
      base: { data: withPage(state.base.data, changed) },
      cursor,
      epoch,
      version,
      lastMutationId,
      run: [],
      strikes: 0,
    },
    ["keep"],
  ];
};

export type { TakeDelta } from "./query-state.ts";
