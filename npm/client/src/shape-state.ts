import type { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import type { PokeEndFrame, PokePartFrame, PokeStartFrame, ServerFrame } from "@lunora/protocol";

import type { ChannelEffect, ChannelEvent } from "./extension.ts";
import type { Step } from "./step.ts";
import type { LiveStatus, ShapeChanges } from "./types.ts";

/** A poke whose end has not arrived, as far as it concerns one shape. */
export interface OpenPoke {
  readonly start: PokeStartFrame;
  readonly parts: readonly PokePartFrame[];
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
  /** The poke that is arriving; one comes after the other. */
  readonly open?: OpenPoke | undefined;
  /** Times in a row that it had to be read afresh. */
  readonly strikes: number;
}

/** Changes are to be told to those who follow them. */
export type ShapeEffect = ChannelEffect | ShapeChanges;

export const INITIAL_SHAPE: ShapeState = { status: "loading", rows: new Map(), lastMutationId: 0, strikes: 0 };

export function stepShape(state: ShapeState, event: ChannelEvent): Step<ShapeState, ShapeEffect> {
  switch (event.type) {
    case "frame":
      return takeFrame(state, event.frame, event.lastMutationId);
    case "failed":
      // Refused or ended: what the rows were is not to be seen any more.
      return [{ ...INITIAL_SHAPE, status: "error", error: event.error }, [{ isReset: true, changes: [] }]];
    case "down":
      return [{ ...state, open: undefined, status: state.status === "live" ? "stale" : state.status }, []];
    case "greeted":
      return [event.epoch === state.epoch ? state : { ...state, lastMutationId: 0 }, []];
    case "forget":
      return [INITIAL_SHAPE, [{ isReset: true, changes: [] }]];
  }
}

function takeFrame(state: ShapeState, frame: ServerFrame, lastMutationId: number): Step<ShapeState, ShapeEffect> {
  const { open } = state;
  switch (frame.type) {
    case "settled":
      // Of the whole socket: the shape's own checkpoint is what its next poke counts from.
      return [state.status === "live" ? { ...state, lastMutationId } : state, []];
    case "pokeStart": {
      const next = { ...state, open: { start: frame, parts: [] } };
      // One that never ends was for nothing, and the next would not fit what it should have made.
      return open && open.parts.length > 0 ? restart(next) : [next, []];
    }
    case "pokePart":
      // What it changes would be missing from then on.
      if (open?.start.pokeId !== frame.pokeId) return restart(state);
      return [{ ...state, open: { ...open, parts: [...open.parts, frame] } }, []];
    case "pokeEnd": {
      if (open?.start.pokeId !== frame.pokeId) return [state, []];
      const next = { ...state, open: undefined };
      return open.parts.length > 0 ? takePoke(next, open, frame, lastMutationId) : [next, []];
    }
  }
  return [state, []];
}

/** All of the poke, or none of it and a fresh start. */
function takePoke(
  state: ShapeState,
  { start, parts }: OpenPoke,
  end: PokeEndFrame,
  told: number,
): Step<ShapeState, ShapeEffect> {
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
      open: undefined,
      checkpoint: undefined,
      status: state.status === "live" ? "stale" : state.status,
      strikes: state.strikes + 1,
    },
    ["restart"],
  ];
}
