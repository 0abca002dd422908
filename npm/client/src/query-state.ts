import type { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import type { DataFrame, DeltaFrame, PageOperation, ResumeFrame, SettledFrame } from "@lunora/protocol";

import type { ChannelEffect, ChannelEvent } from "./extension.ts";
import type { Step } from "./step.ts";
import type { LiveStatus } from "./types.ts";

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

export const INITIAL_QUERY: QueryState = { status: "loading", lastMutationId: 0, run: [], strikes: 0 };

/** Takes a change of a result; `pageDeltas` of `@lunora/client/page-deltas`. */
export type TakeDelta = (
  state: QueryState,
  frame: DeltaFrame,
  lastMutationId: number,
) => Step<QueryState, ChannelEffect>;

/** Without `takeDelta` the server was not told that changes may come as such, and none do. */
export function stepQuery(
  state: QueryState,
  event: ChannelEvent,
  takeDelta?: TakeDelta,
): Step<QueryState, ChannelEffect> {
  switch (event.type) {
    case "frame": {
      const { frame, lastMutationId } = event;
      const { cursor, epoch } = frame as DataFrame;
      // Something newer has come before it, and was applied to what this would have made: that cannot be relied on.
      if ((cursor as number) < (state.cursor as number) && epoch === state.epoch) return restart(state);
      if (frame.type === "data") return takeData(state, frame, lastMutationId);
      if (frame.type === "delta" && takeDelta) return takeDelta(state, frame, lastMutationId);
      if (frame.type === "resume" || frame.type === "settled") return takeUnchanged(state, frame, lastMutationId);
      break;
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
  return [state, []];
}

/** What is shown stays on show as what it is, stale, until the server has told it afresh. */
export function restart(state: QueryState): Step<QueryState, ChannelEffect> {
  const status = state.base ? "stale" : "loading";
  return [{ ...state, cursor: undefined, run: [], status, strikes: state.strikes + 1 }, ["restart"]];
}

function takeUnchanged(
  state: QueryState,
  { type, cursor, epoch }: ResumeFrame | SettledFrame,
  lastMutationId: number,
): Step<QueryState, ChannelEffect> {
  const isAnswer = type === "resume";
  // What is said of the whole socket holds for a view only once it has been brought up to date.
  if (!state.base || (!isAnswer && (state.status !== "live" || state.epoch !== epoch))) return [state, []];
  return [{ ...state, error: undefined, status: "live", cursor, epoch, lastMutationId, strikes: 0 }, ["keep"]];
}

function takeData(
  state: QueryState,
  { data, version, cursor, epoch }: DataFrame,
  lastMutationId: number,
): Step<QueryState, ChannelEffect> {
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
