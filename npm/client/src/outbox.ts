import type { ErrorBody } from "@lunora/errors";
import { FRAME_BYTES, MAX_PUSH_ENTRIES } from "@lunora/protocol";
import type { PushResult } from "@lunora/protocol";

import type { Step } from "./step.ts";

/** What a push has around its entries, at most. */
const ENVELOPE_BYTES = 1_024;
/** Longest entry, bytes of UTF-8. */
export const MAX_ENTRY_BYTES: number = FRAME_BYTES - ENVELOPE_BYTES;
/** So often in a row entries are renumbered at once, without one of them decided in between. */
const MAX_STRIKES = 2;

/** A mutation that the server has not decided, as far as the client knows. */
export interface OutboxEntry {
  /** Its place in storage; never changes. */
  readonly order: number;
  /** Its place in the client's sequence for the shard. */
  readonly seq: number;
  readonly mutationId: string;
  /** The name of the object it goes to. */
  readonly shard: string;
  readonly path: string;
  /** Wire-encoded. */
  readonly args: unknown;
  /** Length in a push, bytes of UTF-8. */
  readonly bytes: number;
  /** When it was called, milliseconds since 1970. */
  readonly at: number;
  /** Whether it may have reached the server. */
  readonly isTried: boolean;
}

/** What one client has to tell one shard under one identity. */
export interface OutboxState {
  /** In order. */
  readonly entries: readonly OutboxEntry[];
  readonly nextSeq: number;
  /** So many entries, from the front, have been sent over this connection. */
  readonly sent: number;
  readonly isUp: boolean;
  /** New numbers that have to reach the storage before the server. */
  readonly storing: number;
  readonly strikes: number;
}

/** An entry as a push carried it. */
export interface SentEntry {
  readonly seq: number;
  readonly mutationId: string;
}

export type OutboxEvent =
  | { readonly type: "enqueue"; readonly entry: Omit<OutboxEntry, "seq" | "isTried"> }
  /** Connected. `lastMutationId` is where the server stands, when it has said so. */
  | { readonly type: "up"; readonly lastMutationId?: number | undefined }
  | { readonly type: "down" }
  | { readonly type: "stored" }
  /** Send what has not been sent. */
  | { readonly type: "flush" }
  /** The answer to a push. */
  | {
      readonly type: "ack";
      readonly sent: readonly SentEntry[];
      readonly results: readonly PushResult[];
      readonly lastMutationId?: number | undefined;
    }
  /** The caller does not want it any more. */
  | { readonly type: "abort"; readonly mutationId: string }
  /** The shard will never take any of it. */
  | { readonly type: "refuse"; readonly error: ErrorBody };

export type OutboxEffect =
  | { readonly type: "push"; readonly entries: readonly OutboxEntry[]; readonly received: number }
  /** Keep these, in place of those with the same `order`. */
  | { readonly type: "store"; readonly entries: readonly OutboxEntry[] }
  /** Say `stored` when everything until here is in storage. */
  | { readonly type: "storing" }
  /** Remove from storage; `result` and `error` are the server's, an aborted one has neither. */
  | {
      readonly type: "settle";
      readonly entry: OutboxEntry;
      readonly outcome: "succeeded" | "rejected" | "aborted";
      readonly result?: unknown;
      readonly error?: ErrorBody | undefined;
    }
  /** Connect again after a pause. */
  | { readonly type: "drop" };

/** An outbox, with what an earlier page left in it. */
export function openOutbox(entries: readonly OutboxEntry[] = []): OutboxState {
  return { entries, nextSeq: (entries.at(-1)?.seq ?? 0) + 1, sent: 0, isUp: false, storing: 0, strikes: 0 };
}

export function stepOutbox(state: OutboxState, event: OutboxEvent): Step<OutboxState, OutboxEffect> {
  switch (event.type) {
    case "enqueue": {
      const entry: OutboxEntry = { ...event.entry, seq: state.nextSeq, isTried: false };
      return [
        { ...state, entries: [...state.entries, entry], nextSeq: entry.seq + 1 },
        [{ type: "store", entries: [entry] }],
      ];
    }
    case "up": {
      const up: OutboxState = { ...state, isUp: true, sent: 0, strikes: 0 };
      return event.lastMutationId === undefined ? [up, []] : renumber(up, event.lastMutationId);
    }
    case "down":
      return [{ ...state, isUp: false, sent: 0 }, []];
    case "stored":
      return [{ ...state, storing: state.storing - 1 }, []];
    case "flush":
      return flush(state);
    case "ack":
      return acknowledge(state, event);
    case "abort":
      return abort(state, event.mutationId);
    case "refuse":
      return [
        { ...state, entries: [], sent: 0 },
        state.entries.map((entry) => ({ type: "settle", entry, outcome: "rejected", error: event.error })),
      ];
  }
}

function flush(state: OutboxState): Step<OutboxState, OutboxEffect> {
  if (!state.isUp || state.storing > 0) return [state, []];
  const entries = state.entries.map((entry) => (entry.isTried ? entry : { ...entry, isTried: true }));
  const received = (entries[0]?.seq ?? 1) - 1;
  const effects: OutboxEffect[] = [];
  let chunk: OutboxEntry[] | undefined;
  let bytes = 0;
  for (const entry of entries.slice(state.sent)) {
    bytes += entry.bytes;
    if (!chunk || chunk.length >= MAX_PUSH_ENTRIES || bytes > MAX_ENTRY_BYTES) {
      chunk = [];
      bytes = entry.bytes;
      effects.push({ type: "push", entries: chunk, received });
    }
    chunk.push(entry);
  }
  return [{ ...state, entries, sent: entries.length }, effects];
}

/**
 * Undecided entries follow the server's last number without a gap: a server that was restored, or
 * has forgotten the client, stands somewhere else than the client believed. Their ids stay. What
 * the server has decided keeps its number: its answer is still to come. `misplaced`: what was decided under
 * the number was another entry, which only a page knew that has ended.
 */
function renumber(
  state: OutboxState,
  lastMutationId: number,
  misplaced?: ReadonlySet<OutboxEntry>,
): Step<OutboxState, OutboxEffect> {
  let next = lastMutationId;
  const changed: OutboxEntry[] = [];
  const entries = state.entries.map((entry) => {
    if (entry.seq <= lastMutationId && !misplaced?.has(entry)) return entry;
    next++;
    if (entry.seq === next) return entry;
    const renumbered = { ...entry, seq: next };
    changed.push(renumbered);
    return renumbered;
  });
  const renumbered: OutboxState = { ...state, entries, nextSeq: next + 1 };
  if (changed.length === 0) return [renumbered, []];
  // After a crash the storage must not know an entry by another number than it was sent under.
  return [{ ...renumbered, storing: state.storing + 1 }, [{ type: "store", entries: changed }, { type: "storing" }]];
}

function acknowledge(
  state: OutboxState,
  { sent, results, lastMutationId }: Extract<OutboxEvent, { type: "ack" }>,
): Step<OutboxState, OutboxEffect> {
  const last = lastMutationId ?? (sent[0]?.seq ?? 1) - 1;
  const resultOf = new Map(results.map((result) => [result.clientSeq, result]));
  const entryOf = new Map(state.entries.map((entry) => [entry.mutationId, entry]));
  const gone = new Set<OutboxEntry>();
  const effects: OutboxEffect[] = [];
  const misplaced = new Set<OutboxEntry>();
  let hasGap = false;
  let isTransient = false;
  for (const { seq, mutationId } of sent) {
    const entry = entryOf.get(mutationId);
    if (!entry) continue;
    const { result, error } = resultOf.get(seq) ?? {};
    const isMisplaced = error?.code === "OUT_OF_ORDER";
    const isDecided = !isMisplaced && (seq <= last || (error === undefined && resultOf.has(seq)));
    // Sent again under another number in the meantime.
    if (!isDecided && entry.seq !== seq) continue;
    if (isMisplaced) {
      hasGap = true;
      misplaced.add(entry);
    } else if (isDecided || (error !== undefined && isVerdict(error))) {
      gone.add(entry);
      hasGap ||= !isDecided;
      effects.push({ type: "settle", entry, outcome: error ? "rejected" : "succeeded", result, error });
    } else {
      isTransient = true;
    }
  }
  const left: OutboxState = {
    ...state,
    entries: state.entries.filter((entry) => !gone.has(entry)),
    sent: state.sent - gone.size,
    strikes: gone.size > 0 ? 0 : state.strikes + (hasGap ? 1 : 0),
  };
  if (isTransient || left.strikes > MAX_STRIKES) return [left, [...effects, { type: "drop" }]];
  if (!hasGap) return [left, effects];
  const [next, stores] = renumber({ ...left, sent: 0 }, last, misplaced);
  return [next, [...effects, ...stores]];
}

/** Whether an error that the server did not count is still its last word. */
function isVerdict({ status = 400, code }: ErrorBody): boolean {
  return status < 500 && code !== "RATE_LIMITED";
}

function abort(state: OutboxState, mutationId: string): Step<OutboxState, OutboxEffect> {
  const entry = state.entries.find((waiting) => waiting.mutationId === mutationId);
  if (entry === undefined || entry.isTried) return [state, []];
  const entries = state.entries.filter((waiting) => waiting !== entry);
  // Those behind it have not been sent either: they move up.
  const [next, stores] = renumber({ ...state, entries }, entry.seq - 1);
  return [next, [...stores, { type: "settle", entry, outcome: "aborted" }]];
}
