/** What waits in a shard's queue: a mutation, which may share its flush, or a turn, which is alone. */
export type PlaceKind = "mutation" | "turn";

interface Run {
  readonly kind: PlaceKind;
  readonly count: number;
}

/** What a shard does now, and what waits, first come first. */
export interface SchedulerState {
  readonly phase: "idle" | "running" | "flushing";
  readonly waiting: readonly Run[];
}

export type SchedulerEvent =
  | { readonly type: "arrive"; readonly kind: PlaceKind; readonly count: number }
  /** What ran has ended; of a group, only the first `taken` have run. */
  | { readonly type: "ended"; readonly taken: number; readonly hasWritten: boolean }
  /** What was written is on disk. */
  | { readonly type: "flushed" };

/** What to do next; absent: nothing. */
export type SchedulerEffect =
  | { readonly type: "run"; readonly kind: PlaceKind; readonly count: number }
  | { readonly type: "flush" };

export interface SchedulerStep {
  readonly state: SchedulerState;
  readonly effect?: SchedulerEffect;
}

export const IDLE: SchedulerState = { phase: "idle", waiting: [] };

/** Most mutations in a group: bounds how long readers wait and what one transaction holds. */
export const GROUP_SIZE = 512;

/**
 * Groups mutations. With nothing in flight a mutation runs at once. Whatever arrives while a group
 * runs, or while its flush is on its way to disk, waits and shares the next one; so the busier a
 * shard is the more mutations a flush carries. Nothing ever overtakes.
 */
export function step(state: SchedulerState, event: SchedulerEvent): SchedulerStep {
  switch (event.type) {
    case "arrive": {
      const waiting = append(state.waiting, event);
      return state.phase === "idle" ? next(waiting) : { state: { phase: state.phase, waiting } };
    }
    case "ended": {
      const waiting = drop(state.waiting, event.taken);
      return event.hasWritten ? { state: { phase: "flushing", waiting }, effect: { type: "flush" } } : next(waiting);
    }
    case "flushed":
      return next(state.waiting);
  }
}

/** What runs stays at the head of the queue until it has ended. */
function next(waiting: readonly Run[]): SchedulerStep {
  const first = waiting[0];
  if (first === undefined) return { state: IDLE };
  const count = first.kind === "turn" ? 1 : Math.min(first.count, GROUP_SIZE);
  return { state: { phase: "running", waiting }, effect: { type: "run", kind: first.kind, count } };
}

function append(waiting: readonly Run[], { kind, count }: Run): readonly Run[] {
  const last = waiting.at(-1);
  if (last?.kind !== kind) return [...waiting, { kind, count }];
  return [...waiting.slice(0, -1), { kind, count: last.count + count }];
}

function drop(waiting: readonly Run[], taken: number): readonly Run[] {
  const [first, ...rest] = waiting;
  if (first === undefined || taken === 0) return waiting;
  return first.count > taken ? [{ kind: first.kind, count: first.count - taken }, ...rest] : rest;
}
