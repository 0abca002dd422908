import type { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import type { PokeEndFrame, PokePartFrame, PokeStartFrame, ResumeFrame, SettledFrame } from "@lunora/protocol";

import type { Step } from "./step.ts";
import type { LiveStatus, ShapeChanges } from "./types.ts";
import type { ViewEffect } from "./view.ts";

/** A whole poke, as far as it concerns one shape. */
export interface Poke {
  readonly start: PokeStartFrame;
  /** At least one. */
  readonly parts: readonly PokePartFrame[];
  readonly end: PokeEndFrame;
}

/** A shape as the server last told it, without optimistic changes. */
export interface ShapeState {
  readonly status: LiveStatus;
  /** Decoded, by id. A new map for each change. */
  readonly rows: ReadonlyMap<string, unknown>;
  readonly error?: LunoraError | undefined;
  /** Where `rows` stand; absent when they cannot be resumed from. */
  readonly checkpoint?: number | undefined;
  readonly epoch?: string | undefined;
  /** Names the condition and columns that the server made `rows` from. */
  readonly version?: string | undefined;
  readonly lastMutationId: number;
  /** Times in a row that it had to be read afresh. */
  readonly strikes: number;
}

export type ShapeEvent =
  /** `lastMutationId` is where the connection stands, here and below. */
  | { readonly type: "poke"; readonly poke: Poke; readonly lastMutationId: number }
  | { readonly type: "unchanged"; readonly frame: ResumeFrame | SettledFrame; readonly lastMutationId: number }
  /** A poke had to be thrown away: the next one would not fit. */
  | { readonly type: "missed" }
  | { readonly type: "failed"; readonly error: LunoraError }
  | { readonly type: "down" }
  /** Connected, to a timeline whose places in the client's sequence may mean other mutations. */
  | { readonly type: "greeted"; readonly epoch: string | undefined }
  | { readonly type: "forget" };

/** Changes are to be told to those who follow them. */
export type ShapeEffect = ViewEffect | ShapeChanges;

export const INITIAL_SHAPE: ShapeState = { status: "loading", rows: new Map(), lastMutationId: 0, strikes: 0 };

export function stepShape(state: ShapeState, event: ShapeEvent): Step<ShapeState, ShapeEffect> {
  switch (event.type) {
    case "poke":
      return takePoke(state, event.poke, event.lastMutationId);
    case "unchanged": {
      const { frame, lastMutationId } = event;
      if (frame.id === undefined || state.checkpoint === undefined) {
        // Of the whole socket: the shape's own checkpoint is what its next poke counts from.
        return [state.status === "live" ? { ...state, lastMutationId } : state, []];
      }
      return [
        {
          ...state,
          error: undefined,
          status: "live",
          checkpoint: frame.cursor,
          epoch: frame.epoch,
          lastMutationId,
          strikes: 0,
        },
        [],
      ];
    }
    case "missed":
      return restart(state);
    case "failed":
      // Refused or ended: what the rows were is not to be seen any more.
      return [{ ...INITIAL_SHAPE, status: "error", error: event.error }, [{ isReset: true, changes: [] }]];
    case "down":
      return [state.status === "live" ? { ...state, status: "stale" } : state, []];
    case "greeted":
      return [event.epoch === state.epoch ? state : { ...state, lastMutationId: 0 }, []];
    case "forget":
      return [INITIAL_SHAPE, [{ isReset: true, changes: [] }]];
  }
}

/** All of the poke, or none of it and a fresh start. */
function takePoke(state: ShapeState, { start, parts, end }: Poke, told: number): Step<ShapeState, ShapeEffect> {
  const isReset = parts.some(({ reset }) => reset === true);
  const base = parts[0]?.baseCheckpoint ?? start.baseCheckpoint;
  const epoch = end.epoch ?? start.epoch ?? state.epoch;
  const { checkpoint: at } = state;
  if (!isReset && (at === undefined || (base !== undefined && base !== at) || epoch !== state.epoch))
    return restart(state);
  const rows = new Map(isReset ? [] : state.rows);
  const changes: ShapeChanges["changes"][number][] = [];
  let { version } = state;
  let lastMutationId = told;
  for (const part of parts) {
    lastMutationId = part.lastMutationId ?? lastMutationId;
    version = part.version ?? version;
    for (const { op, key: id, value } of part.rowsPatch) {
      if (op === "delete") {
        rows.delete(id);
        changes.push({ op, id });
      } else {
        const row = decodeValue(value);
        rows.set(id, row);
        changes.push({ op, id, row });
      }
    }
  }
  return [
    {
      status: "live",
      rows,
      lastMutationId,
      strikes: isReset ? state.strikes : 0,
      checkpoint: end.checkpoint ?? state.checkpoint,
      epoch,
      version,
    },
    [{ isReset, changes }],
  ];
}

/** The rows stay on show as what they are, stale, until the server has told them afresh. */
function restart(state: ShapeState): Step<ShapeState, ShapeEffect> {
  return [
    {
      ...state,
      checkpoint: undefined,
      status: state.status === "live" ? "stale" : state.status,
      strikes: state.strikes + 1,
    },
    ["restart"],
  ];
}
