import type { LunoraError } from "@lunora/errors";
import { applyPageOperations, decodeValue, pageOf, withPage } from "@lunora/protocol";
import type { DataFrame, DeltaFrame, PageOperation, ResumeFrame, SettledFrame } from "@lunora/protocol";

import type { Step } from "./step.ts";
import type { LiveStatus } from "./types.ts";
import type { ViewEffect } from "./view.ts";

/** A query as the server last told it, without optimistic changes. */
export interface QueryState {
  readonly status: LiveStatus;
  /** The decoded result, once there is one. */
  readonly base?: { readonly data: unknown };
  readonly error?: LunoraError | undefined;
  /** Where `base` stands; absent when it cannot be resumed from. */
  readonly cursor?: number | undefined;
  readonly epoch?: string | undefined;
  /** The server's name for `base`. */
  readonly version?: string | undefined;
  /** The client's last mutation that `base` has the effect of. */
  readonly lastMutationId: number;
  /** Deltas whose last one has not arrived. */
  readonly run: readonly PageOperation[];
  /** Times in a row that it had to be read afresh. */
  readonly strikes: number;
}

/** What can happen to any view; `frame` and `restored` are for queries alone. */
export type QueryEvent =
  /** A result, or a change of it. `lastMutationId` is where the connection stands, here and below. */
  | { readonly type: "frame"; readonly frame: DataFrame | DeltaFrame; readonly lastMutationId: number }
  /** Nothing changed. */
  | { readonly type: "unchanged"; readonly frame: ResumeFrame | SettledFrame; readonly lastMutationId: number }
  /** From the cache of an earlier page. */
  | {
      readonly type: "restored";
      readonly data: unknown;
      readonly cursor: number;
      readonly epoch: string;
      readonly version: string | undefined;
    }
  | { readonly type: "failed"; readonly error: LunoraError }
  | { readonly type: "down" }
  /** Connected, to a timeline whose places in the client's sequence may mean other mutations. */
  | { readonly type: "greeted"; readonly epoch: string | undefined }
  /** Another identity: nothing that was known holds. */
  | { readonly type: "forget" };

export const INITIAL_QUERY: QueryState = { status: "loading", lastMutationId: 0, run: [], strikes: 0 };

export function stepQuery(state: QueryState, event: QueryEvent): Step<QueryState, ViewEffect> {
  switch (event.type) {
    case "frame":
      return event.frame.type === "data"
        ? takeData(state, event.frame, event.lastMutationId)
        : takeDelta(state, event.frame, event.lastMutationId);
    case "unchanged": {
      const { frame, lastMutationId } = event;
      const isAnswer = frame.type === "resume";
      // What is said of the whole socket holds for a view only once it has been brought up to date.
      if (!state.base || (!isAnswer && (state.status !== "live" || state.epoch !== frame.epoch))) return [state, []];
      return [
        {
          ...state,
          error: undefined,
          status: "live",
          cursor: frame.cursor,
          epoch: frame.epoch,
          lastMutationId,
          strikes: 0,
        },
        ["keep"],
      ];
    }
    case "restored": {
      if (state.base) return [state, []];
      const { data, cursor, epoch, version } = event;
      return [
        {
          ...state,
          cursor,
          epoch,
          version,
          base: { data },
          status: state.status === "loading" ? "stale" : state.status,
        },
        [],
      ];
    }
    case "failed":
      return [{ ...state, cursor: undefined, status: "error", error: event.error, run: [] }, []];
    case "down":
      return [{ ...state, run: [], status: state.status === "live" ? "stale" : state.status }, []];
    case "greeted":
      return [event.epoch === state.epoch ? state : { ...state, lastMutationId: 0 }, []];
    case "forget":
      return [INITIAL_QUERY, []];
  }
}

function takeData(
  state: QueryState,
  { data, version, cursor, epoch }: DataFrame,
  lastMutationId: number,
): Step<QueryState, ViewEffect> {
  return [
    {
      status: "live",
      base: { data: decodeValue(data) },
      lastMutationId,
      run: [],
      strikes: state.strikes,
      cursor,
      epoch,
      version,
    },
    ["keep"],
  ];
}

/** A run counts when its last delta is there, which is the one with a cursor. */
function takeDelta(
  state: QueryState,
  { delta, version, cursor, epoch }: DeltaFrame,
  lastMutationId: number,
): Step<QueryState, ViewEffect> {
  const { op, key, value } = delta;
  const run = [...state.run, { op, key, value: decodeValue(value) }];
  if (cursor === undefined || epoch === undefined) return [{ ...state, run }, []];
  const rows = state.status === "live" && state.base ? pageOf(state.base.data) : undefined;
  const changed = rows && applyPageOperations(rows, run);
  if (!state.base || changed === undefined) {
    return [
      { ...state, cursor: undefined, run: [], status: state.base ? "stale" : "loading", strikes: state.strikes + 1 },
      ["restart"],
    ];
  }
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
}
