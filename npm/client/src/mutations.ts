import { CodedError } from "@lunora/errors";
import type { LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
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

/** Mutations that wait for their shards, and what became of them: does what {@link stepOutbox} decides. */
export class Mutations {
  readonly settledListeners: Set<(settled: SettledMutation) => void> = new Set();
  readonly #live: Live;
  readonly #maxItems: number;
  readonly #awaiters = new Map<string, Awaiter>();
  /** Adopted ones before our own. */
  #boxes: Box[] = [];
  /** Whether what earlier pages left has been found: it goes before anything of this page. */
  #isReady = false;
  #order = 0;
  #serial = 0;

  constructor(live: Live, maxItems: number) {
    this.#live = live;
    this.#maxItems = maxItems;
  }

  seqOf(mutationId: string): number {
    for (const { clientId, state } of this.#active()) {
      const entry = clientId === this.#live.clientId && state.entries.find((own) => own.mutationId === mutationId);
      if (entry) return entry.seq;
    }
    return Infinity;
  }

  get pending(): number {
    return this.#active().reduce((sum, { state }) => sum + state.entries.length, 0);
  }

  isWaiting(shard: string): boolean {
    return this.#active(shard).some(({ state }) => state.entries.length > 0);
  }

  /** Those of who is signed in, in order; while nobody can say who that is, those that wait for it to be said. */
  undecided(): readonly Undecided[] {
    return this.#active().flatMap(({ state }) => state.entries);
  }

  /** Queues a mutation. */
  mutate(
    shard: string,
    path: string,
    args: unknown,
    { signal, mutationId = this.#live.mintId(), optimisticUpdate }: QueuedMutation,
  ): Promise<unknown> {
    const { layers, transact } = this.#live;
    signal?.throwIfAborted();
    const known = this.#awaiters.get(mutationId);
    if (known) return known.promise;
    const entry = this.#entry(mutationId, shard, path, args);
    const awaiter = {} as { -readonly [Field in keyof Awaiter]: Awaiter[Field] };
    this.#awaiters.set(mutationId, awaiter);
    awaiter.promise = new Promise((resolve, reject) => Object.assign(awaiter, { resolve, reject }));
    transact(() => {
      layers.add(entry, optimisticUpdate);
      this.#enqueue(entry);
    });
    signal?.addEventListener("abort", () => transact(() => this.#abort(shard, mutationId, signal.reason)), {
      once: true,
    });
    return awaiter.promise;
  }

  /** What was called while nobody could say by whom belongs to who is signed in now. */
  claim(): void {
    for (const { state } of this.#takeUnclaimed()) for (const entry of state.entries) this.#enqueue(entry);
  }

  /** Nobody can say any more who called these. */
  rejectUnclaimed(): void {
    for (const box of this.#takeUnclaimed()) {
      this.#live.layers.drop(box.state.entries);
      this.#leave(box, "rejected");
    }
  }

  signIn(): void {
    this.#isReady = false;
  }

  /** Those of the one who leaves stay in storage until it is back, here or in another page. */
  signOut(before: string): void {
    const { clientId, layers, offline } = this.#live;
    // Where storing failed they stay in this page.
    const stays = (box: Box): boolean => box.clientId === clientId || offline?.hasFailed === true;
    for (const box of this.#boxes) {
      if (!stays(box)) offline?.release(box.clientId);
      if (box.identity !== undefined) layers.drop(box.state.entries);
      if (box.identity === before) this.#leave(box, "kept");
    }
    this.#boxes = this.#boxes.filter(stays);
  }

  /** Takes what a page left that is gone. */
  adopt(boxes: readonly Box[]): void {
    const { offline, session } = this.#live;
    for (const { clientId, identity } of boxes) if (identity !== session.identity) return offline?.release(clientId);
    this.#boxes.unshift(...boxes);
    for (const box of boxes) this.#up(box);
  }

  ready(): void {
    this.#isReady = true;
    for (const box of this.#boxes) if (!box.state.isUp) this.#up(box);
  }

  up(shard: string): void {
    for (const box of this.#active(shard)) this.#up(box);
  }

  down(shard: string): void {
    for (const box of this.#boxes) if (box.shard === shard) this.#step(box, { type: "down" });
  }

  refuse(shard: string, error: LunoraError): void {
    for (const box of this.#active(shard)) this.#step(box, { type: "refuse", error });
  }

  #takeUnclaimed(): Box[] {
    const unclaimed = this.#boxes.filter(({ identity }) => identity === undefined);
    this.#boxes = this.#boxes.filter(({ identity }) => identity !== undefined);
    return unclaimed;
  }

  #active(shard?: string): Box[] {
    const { identity } = this.#live.session;
    return this.#boxes.filter((box) => box.identity === identity && box.shard === (shard ?? box.shard));
  }

  #entry(mutationId: string, shard: string, path: string, args: unknown): Undecided {
    if (this.pending >= this.#maxItems)
      throw new CodedError("OFFLINE_QUEUE_OVERFLOW", 429, `${this.#maxItems} mutations wait already`);
    const encoded = encodeValue(args);
    const text = JSON.stringify({ clientSeq: Number.MAX_SAFE_INTEGER, mutationId, functionPath: path, args: encoded });
    const bytes = new TextEncoder().encode(text).length + 1;
    if (bytes > MAX_ENTRY_BYTES)
      throw new CodedError("PAYLOAD_TOO_LARGE", 413, `${bytes} bytes, at most ${MAX_ENTRY_BYTES} in a mutation`);
    return { order: ++this.#order, mutationId, shard, path, args: encoded, bytes, at: this.#live.environment.now() };
  }

  #enqueue(entry: Undecided): void {
    const { shard } = entry;
    const { clientId, session } = this.#live;
    let box = this.#active(shard).find((active) => active.clientId === clientId);
    if (box === undefined) {
      this.#boxes.push((box = { clientId, shard, identity: session.identity, state: openOutbox() }));
      this.#up(box);
    }
    this.#step(box, { type: "enqueue", entry });
    const { refusal } = this.#live.need(shard);
    if (refusal?.code === "FORBIDDEN_SHARD") this.#step(box, { type: "refuse", error: refusal });
  }

  #abort(shard: string, mutationId: string, reason: unknown): void {
    const awaiter = this.#awaiters.get(mutationId);
    this.#awaiters.delete(mutationId);
    awaiter?.reject(reason);
    for (const box of this.#active(shard)) this.#step(box, { type: "abort", mutationId });
  }

  #up(box: Box): void {
    const { links, clientId, session } = this.#live;
    const link = links.get(box.shard);
    if (!this.#isReady || link?.state.phase !== "open" || box.identity !== session.identity) return;
    this.#step(box, { type: "up", lastMutationId: box.clientId === clientId ? link.lastMutationId : undefined });
  }

  #step(box: Box, event: OutboxEvent): void {
    const { clientId, shard } = box;
    const [state, effects] = stepOutbox(box.state, event);
    box.state = state;
    const link = this.#live.need(shard);
    for (const effect of effects) this.#perform(box, link, effect);
    if (event.type !== "flush") this.#scheduleFlush(link);
    const isLeft = (other: Box): boolean => other.clientId === clientId && other.state.entries.length > 0;
    if (clientId === this.#live.clientId || this.#boxes.some(isLeft)) return;
    this.#boxes = this.#boxes.filter((other) => other.clientId !== clientId);
    this.#live.offline?.release(clientId);
  }

  /** What one turn queues travels together. */
  #scheduleFlush(link: Link): void {
    if (link.willFlush || link.state.phase !== "open") return;
    link.willFlush = true;
    queueMicrotask(() =>
      this.#live.transact(() => {
        link.willFlush = false;
        for (const box of this.#active(link.shard)) {
          // Later ones wait for an earlier one, so that a reload keeps the order.
          if (box.state.storing > 0) return;
          this.#step(box, { type: "flush" });
        }
      }),
    );
  }

  #perform(box: Box, link: Link, effect: OutboxEffect): void {
    const { layers, offline, transact } = this.#live;
    switch (effect.type) {
      case "push": {
        const id = `p${++this.#serial}`;
        const { entries: sent, received } = effect;
        link.answers.set(id, (frame) => this.#answered(box, link, sent, frame));
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
        if (box.identity !== undefined) for (const entry of effect.entries) offline?.store(box, entry);
        break;
      case "storing":
        void Promise.resolve(offline?.settled()).then(() => transact(() => this.#step(box, { type: "stored" })));
        break;
      case "settle": {
        const { entry, outcome, result, error } = effect;
        offline?.remove(box, entry);
        layers.drop([entry]);
        if (outcome !== "aborted") this.#tellSettled(entry, outcome, error && errorOf(error), result);
        break;
      }
      case "drop":
        link.dispatch({ type: "drop" });
    }
  }

  #answered(box: Box, link: Link, sent: readonly OutboxEntry[], frame: AckFrame | ErrorFrame): void {
    const isRefused = frame.type === "error";
    const results = isRefused ? sent.map(({ seq }) => ({ clientSeq: seq, error: frame.error })) : (frame.results ?? []);
    const lastMutationId = isRefused ? undefined : frame.lastMutationId;
    if (box.clientId === this.#live.clientId) link.lastMutationId = lastMutationId ?? link.lastMutationId;
    this.#step(box, { type: "ack", sent, results, lastMutationId });
  }

  /** Another identity than the one that called these is signed in. */
  #leave({ state }: Box, status: "rejected" | "kept"): void {
    for (const entry of state.entries) {
      const message = `\`${entry.path}\` was called by another identity`;
      const data = { isKept: status === "kept", mayHaveTakenEffect: entry.isTried };
      this.#tellSettled(entry, status, new CodedError("OFFLINE_IDENTITY_CHANGED", 409, message, { data }));
    }
  }

  /** After listeners have been told of what it did. */
  #tellSettled(
    { mutationId, shard, path, args }: Undecided,
    status: SettledMutation["status"],
    error?: LunoraError,
    result?: unknown,
  ): void {
    const awaiter = this.#awaiters.get(mutationId);
    this.#awaiters.delete(mutationId);
    this.#live.afterwards.push(() => {
      if (error) awaiter?.reject(error);
      else awaiter?.resolve(decodeValue(result));
      const hadAwaiter = awaiter !== undefined;
      const settled = { status, mutationId, path, args: decodeValue(args), shard, ...(error && { error }), hadAwaiter };
      for (const tell of Array.from(this.settledListeners))
        callSafely(() => tell(settled), this.#live.environment.report);
    });
  }
}
