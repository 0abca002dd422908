import { CodedError } from "@lunora/errors";
import type { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue, utf8 } from "@lunora/protocol";
import type { AckFrame, ErrorFrame } from "@lunora/protocol";

import type { Undecided } from "./layers.ts";
import type { Link } from "./link.ts";
import type { Live } from "./live.ts";
import { callSafely } from "./observable.ts";
import type { Box } from "./offline-part.ts";
import { MAX_ENTRY_BYTES, openOutbox, stepOutbox } from "./outbox.ts";
import type { OutboxEffect, OutboxEntry, OutboxEvent } from "./outbox.ts";
import { errorOf } from "./transport.ts";
import type { OptimisticUpdate, SettledMutation } from "./types.ts";

/** Options of a mutation. */
export interface QueuedMutation {
  readonly mutationId?: string;
  readonly signal?: AbortSignal;
  readonly optimisticUpdate?: OptimisticUpdate<never>;
}

interface Awaiter {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** Mutations that wait for their shards, and what became of them. */
export interface Mutations {
  /** Tells how each ended, until what it returns is called. */
  onSettled(listener: (settled: SettledMutation) => void): () => void;
  /** The mutation's place in the sequence that `lastMutationId` counts; infinite for another client's. */
  seqOf(mutationId: string): number;
  /** How many wait of who is signed in, for the shard or for all. */
  pending(shard?: string): number;
  /** Those of who is signed in, in order; while nobody can say who that is, those that wait for it to be said. */
  undecided(): readonly Undecided[];
  /** Queues a mutation. */
  mutate(shard: string, path: string, args: unknown, options: QueuedMutation): Promise<unknown>;
  /** What was called while nobody could say by whom belongs to who is signed in now. */
  claim(): void;
  /** Nobody can say any more who called these. */
  reject(): void;
  signIn(): void;
  /** Those of the one who leaves stay in storage until it is back, here or in another page. */
  signOut(before: string): void;
  /** Takes what a page left that is gone. */
  adopt(boxes: readonly Box[]): void;
  /** What earlier pages left has been found: it goes before anything of this page. */
  ready(): void;
  up(shard: string): void;
  down(shard: string): void;
  refuse(shard: string, error: LunoraError): void;
}

/** What an entry of a push has besides its values, and with its longest number. */
const ENTRY_NAMES_BYTES = 65;

/** Does what {@link stepOutbox} decides. */
export function createMutations(live: Live, maxItems: number): Mutations {
  const { clientId: own, environment, layers, links, mintId, need, report, session, transact } = live;
  const settledListeners = new Set<(settled: SettledMutation) => void>();
  const awaiters = new Map<string, Awaiter>();
  /** Adopted ones before our own. */
  let boxes: Box[] = [];
  let isReady = false;
  let order = 0;
  let serial = 0;

  const active = (shard?: string): Box[] =>
    boxes.filter((box) => box.identity === session.identity && box.shard === (shard ?? box.shard));

  const pending = (shard?: string): number => active(shard).reduce((sum, { state }) => sum + state.entries.length, 0);

  const takeAwaiter = (mutationId: string): Awaiter | undefined => {
    const awaiter = awaiters.get(mutationId);
    awaiters.delete(mutationId);
    return awaiter;
  };

  /** Whether it stays in this page when another identity signs in: so does what could not be stored. */
  const stays = ({ clientId }: Box): boolean => clientId === own || live.offline?.hasFailed === true;

  const takeUnclaimed = (): Box[] => {
    const unclaimed = boxes.filter(({ identity }) => identity === undefined);
    boxes = boxes.filter(({ identity }) => identity !== undefined);
    return unclaimed;
  };

  const entryOf = (mutationId: string, shard: string, path: string, args: unknown): Undecided => {
    if (pending() >= maxItems)
      throw new CodedError("OFFLINE_QUEUE_OVERFLOW", 429, `${maxItems} mutations wait already`);
    const encoded = encodeValue(args);
    const bytes = utf8(JSON.stringify([mutationId, path, encoded])).length + ENTRY_NAMES_BYTES;
    if (bytes > MAX_ENTRY_BYTES)
      throw new CodedError("PAYLOAD_TOO_LARGE", 413, `${bytes} bytes, at most ${MAX_ENTRY_BYTES} in a mutation`);
    return { order: ++order, mutationId, shard, path, args: encoded, bytes, at: environment.now() };
  };

  const enqueue = (entry: Undecided): void => {
    const { shard } = entry;
    let box = active(shard).find(({ clientId }) => clientId === own);
    if (!box) {
      box = { clientId: own, shard, identity: session.identity, state: openOutbox() };
      boxes.push(box);
      up(box);
    }
    step(box, { type: "enqueue", entry });
    const { refusal } = need(shard);
    if (refusal?.code === "FORBIDDEN_SHARD") step(box, { type: "refuse", error: refusal });
  };

  const up = (box: Box): void => {
    const link = links.get(box.shard);
    if (isReady && link?.state.phase === "connected" && box.identity === session.identity)
      step(box, { type: "up", lastMutationId: box.clientId === own ? link.lastMutationId : undefined });
  };

  const step = (box: Box, event: OutboxEvent): void => {
    const { clientId, shard } = box;
    const [state, effects] = stepOutbox(box.state, event);
    box.state = state;
    const link = need(shard);
    for (const effect of effects) perform(box, link, effect);
    if (event.type !== "flush") scheduleFlush(link);
    const isLeft = (other: Box): boolean => other.clientId === clientId && other.state.entries.length > 0;
    if (clientId === own || boxes.some(isLeft)) return;
    boxes = boxes.filter((other) => other.clientId !== clientId);
    live.offline?.release(clientId);
  };

  /** What one turn queues travels together. */
  const scheduleFlush = (link: Link): void => {
    if (link.willFlush || link.state.phase !== "connected") return;
    link.willFlush = true;
    queueMicrotask(() =>
      transact(() => {
        link.willFlush = false;
        for (const box of active(link.shard)) {
          // Later ones wait for an earlier one, so that a reload keeps the order.
          if (box.state.storing > 0) return;
          step(box, { type: "flush" });
        }
      }),
    );
  };

  const perform = (box: Box, link: Link, effect: OutboxEffect): void => {
    const { offline } = live;
    switch (effect.type) {
      case "push": {
        const id = `p${++serial}`;
        const { entries: sent, received } = effect;
        link.answers.set(id, (frame) => answered(box, link, sent, frame));
        const entries = sent.map(({ seq: clientSeq, mutationId, path: functionPath, args }) => ({
          clientSeq,
          mutationId,
          functionPath,
          args,
        }));
        link.send({ type: "push", id, clientId: box.clientId, entries, received });
        break;
      }
      case "store":
        offline?.store(box, effect.entries);
        break;
      case "storing":
        void Promise.resolve(offline?.settled()).then(() => transact(() => step(box, { type: "stored" })));
        break;
      case "settle": {
        const { entry, outcome, result, error } = effect;
        offline?.remove(box, entry);
        layers.drop([entry]);
        if (outcome !== "aborted") tellSettled(entry, outcome, error && errorOf(error), result);
        break;
      }
      case "drop":
        link.dispatch({ type: "drop" });
    }
  };

  const answered = (box: Box, link: Link, sent: readonly OutboxEntry[], frame: AckFrame | ErrorFrame): void => {
    const { results = [], lastMutationId }: Partial<AckFrame> =
      frame.type === "ack" ? frame : { results: sent.map(({ seq }) => ({ clientSeq: seq, error: frame.error })) };
    if (box.clientId === own) link.lastMutationId = lastMutationId ?? link.lastMutationId;
    step(box, { type: "ack", sent, results, lastMutationId });
  };

  /** Another identity than the one that called these is signed in. */
  const leave = ({ state }: Box, status: "rejected" | "kept"): void => {
    for (const entry of state.entries) {
      const message = `\`${entry.path}\` was called by another identity`;
      const data = { isKept: status === "kept", mayHaveTakenEffect: entry.isTried };
      tellSettled(entry, status, new CodedError("OFFLINE_IDENTITY_CHANGED", 409, message, { data }));
    }
  };

  /** After listeners have been told of what it did. */
  const tellSettled = (
    { mutationId, shard, path, args }: Undecided,
    status: SettledMutation["status"],
    error?: LunoraError,
    result?: unknown,
  ): void => {
    const awaiter = takeAwaiter(mutationId);
    live.afterwards.push(() => {
      if (error) awaiter?.reject(error);
      else awaiter?.resolve(decodeValue(result));
      const hadAwaiter = awaiter !== undefined;
      const settled = { status, mutationId, path, args: decodeValue(args), shard, ...(error && { error }), hadAwaiter };
      for (const tell of Array.from(settledListeners)) callSafely(() => tell(settled), report);
    });
  };

  return {
    onSettled(listener) {
      const tell: typeof listener = (settled) => listener(settled);
      settledListeners.add(tell);
      return () => void settledListeners.delete(tell);
    },
    pending,
    seqOf(mutationId) {
      const entries = active().flatMap(({ clientId, state }) => (clientId === own ? state.entries : []));
      return entries.find((entry) => entry.mutationId === mutationId)?.seq ?? Infinity;
    },
    undecided: () => active().flatMap(({ state }) => state.entries),
    mutate(shard, path, args, { signal, mutationId = mintId(), optimisticUpdate }) {
      signal?.throwIfAborted();
      const known = awaiters.get(mutationId);
      if (known) return known.promise;
      const entry = entryOf(mutationId, shard, path, args);
      const awaiter = {} as { -readonly [Field in keyof Awaiter]: Awaiter[Field] };
      awaiters.set(mutationId, awaiter);
      awaiter.promise = new Promise((resolve, reject) => Object.assign(awaiter, { resolve, reject }));
      transact(() => {
        layers.add(entry, optimisticUpdate);
        enqueue(entry);
      });
      const abort = (): void =>
        transact(() => {
          takeAwaiter(mutationId)?.reject(signal?.reason);
          for (const box of active(shard)) step(box, { type: "abort", mutationId });
        });
      signal?.addEventListener("abort", abort);
      return awaiter.promise;
    },
    claim() {
      for (const { state } of takeUnclaimed()) for (const entry of state.entries) enqueue(entry);
    },
    reject() {
      for (const box of takeUnclaimed()) {
        layers.drop(box.state.entries);
        leave(box, "rejected");
      }
    },
    signIn() {
      isReady = false;
    },
    signOut(before) {
      for (const box of boxes) {
        if (!stays(box)) live.offline?.release(box.clientId);
        if (box.identity !== undefined) layers.drop(box.state.entries);
        if (box.identity === before) leave(box, "kept");
      }
      boxes = boxes.filter(stays);
    },
    adopt(adopted) {
      boxes.unshift(...adopted);
      for (const box of adopted) up(box);
    },
    ready() {
      isReady = true;
      for (const box of boxes) if (!box.state.isUp) up(box);
    },
    up(shard) {
      for (const box of active(shard)) up(box);
    },
    down(shard) {
      for (const box of boxes) if (box.shard === shard) step(box, { type: "down" });
    },
    refuse(shard, error) {
      for (const box of active(shard)) step(box, { type: "refuse", error });
    },
  };
}
