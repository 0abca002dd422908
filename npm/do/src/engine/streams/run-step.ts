import { FRESH_BYTES, FRESH_CHUNKS } from "./stream-limits.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** One run of a stream's generator. */
export interface RunState {
  readonly isDurable: boolean;
  readonly limits: Pick<StreamLimits, "chunks" | "bytes">;
  /** `stopped`: nobody wants more, and nobody is told. */
  readonly phase: "running" | "complete" | "failed" | "stopped";
  /** There is a generator to ask. */
  readonly isStarted: boolean;
  /** The generator has been asked for a chunk and has not answered. */
  readonly isPulling: boolean;
  readonly chunks: number;
  readonly bytes: number;
  /** Chunks that are neither stored nor sent, and bytes of them. */
  readonly fresh: number;
  readonly freshBytes: number;
  readonly readers: number;
  /** Everybody who heard it has left, and its time goes by. */
  readonly isUnheard: boolean;
  /** Not durable: the reader has to take what it was sent before there is more. */
  readonly isClogged: boolean;
}

export type RunEvent =
  | { readonly type: "started" }
  | { readonly type: "yielded"; readonly bytes: number }
  | { readonly type: "finished" }
  | { readonly type: "threw" }
  /** What was fresh is stored and sent. */
  | { readonly type: "flushed" }
  | { readonly type: "joined" }
  | { readonly type: "left" }
  /** Nobody has joined in the time that a run goes on for nobody. */
  | { readonly type: "unheard" }
  | { readonly type: "clogged" }
  | { readonly type: "drained" };

export type RunEffect =
  /** Ask the generator for the next chunk. */
  | "pull"
  /** Store and send what is fresh when the present turn of the event loop is over. */
  | "flushSoon"
  /** Store and send what is fresh, then tell the end. */
  | "end"
  /** The chunk that came is one too many: it is dropped. */
  | "tooLong"
  /** Nobody hears it from now on: it may go on for its time. */
  | "countDown"
  /** Somebody hears it again. */
  | "heard"
  /** That time is over. */
  | "unheard"
  /** The generator is not wanted any more. */
  | "stop";

export interface RunStep {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

/** A run that nobody reads yet. */
export function newRun(isDurable: boolean, limits: RunState["limits"]): RunState {
  return {
    isDurable,
    limits,
    phase: "running",
    isStarted: false,
    isPulling: false,
    chunks: 0,
    bytes: 0,
    fresh: 0,
    freshBytes: 0,
    readers: 0,
    isUnheard: false,
    isClogged: false,
  };
}

/** What a run does next. The generator is asked for one chunk at a time, and never after the end. */
export function step(state: RunState, event: RunEvent): RunStep {
  switch (event.type) {
    case "joined":
      return joined(state);
    case "left":
      return left({ ...state, readers: state.readers - 1 });
    case "unheard":
      return unheard(state);
    case "started":
      return pulled({ ...state, isStarted: true });
    case "drained":
      return pulled({ ...state, isClogged: false });
    case "clogged":
      return { state: { ...state, isClogged: true }, effects: [] };
    case "flushed":
      return pulled({ ...state, fresh: 0, freshBytes: 0 });
    case "yielded":
      return yielded({ ...state, isPulling: false }, event.bytes);
    case "finished":
    case "threw":
      // What comes from a generator that was stopped is nobody's.
      if (state.phase !== "running") return { state: { ...state, isPulling: false }, effects: [] };
      return {
        state: { ...state, isPulling: false, phase: event.type === "finished" ? "complete" : "failed" },
        effects: ["end"],
      };
  }
}

function yielded(state: RunState, bytes: number): RunStep {
  if (state.phase !== "running") return { state, effects: [] };
  if (state.isDurable && (state.chunks + 1 > state.limits.chunks || state.bytes + bytes > state.limits.bytes))
    return { state: { ...state, phase: "failed" }, effects: ["tooLong", "stop", "end"] };
  const { state: next, effects } = pulled({
    ...state,
    chunks: state.chunks + 1,
    bytes: state.bytes + bytes,
    fresh: state.fresh + 1,
    freshBytes: state.freshBytes + bytes,
  });
  return { state: next, effects: state.fresh === 0 ? ["flushSoon", ...effects] : effects };
}

function joined(state: RunState): RunStep {
  const { state: next, effects } = pulled({ ...state, readers: state.readers + 1, isUnheard: false });
  return { state: next, effects: state.isUnheard ? ["heard", ...effects] : effects };
}

function left(state: RunState): RunStep {
  if (state.readers > 0 || state.phase !== "running") return { state, effects: [] };
  if (state.isDurable) return { state: { ...state, isUnheard: true }, effects: ["countDown"] };
  return { state: { ...state, phase: "stopped" }, effects: ["stop"] };
}

function unheard(state: RunState): RunStep {
  if (!state.isUnheard || state.phase !== "running") return { state, effects: [] };
  return { state: { ...state, phase: "failed" }, effects: ["unheard", "stop", "end"] };
}

/** Asks for more where there is room for it. */
function pulled(state: RunState): RunStep {
  const hasRoom = state.fresh < FRESH_CHUNKS && state.freshBytes < FRESH_BYTES;
  const isWanted = state.isDurable || (state.readers > 0 && !state.isClogged);
  if (state.phase !== "running" || !state.isStarted || state.isPulling || !hasRoom || !isWanted)
    return { state, effects: [] };
  return { state: { ...state, isPulling: true }, effects: ["pull"] };
}
