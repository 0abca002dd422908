import { LunoraError } from "@lunora/errors";
import {
  CLOSE_CODES,
  decodeValue,
  encodeValue,
  ID_RANDOM_BYTES,
  mintId,
  PATHS,
  resolveAddress,
  subscriptionKey,
} from "@lunora/protocol";
import type { AckFrame, FunctionReference, ServerFrame, ShapeReference } from "@lunora/protocol";

import type { AuthToken } from "./client.ts";
import { statusOfConnection } from "./connection.ts";
import type { ClientEnvironment } from "./environment.ts";
import { entryKey, Lanes, storedEntry } from "./lanes.ts";
import type { Box } from "./lanes.ts";
import { Link } from "./link.ts";
import type { LinkHost } from "./link.ts";
import { callSafely, Observable } from "./observable.ts";
import { MAX_ENTRY_BYTES, openOutbox, stepOutbox } from "./outbox.ts";
import type { OutboxEffect, OutboxEntry, OutboxEvent } from "./outbox.ts";
import { addLayer } from "./overlay.ts";
import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import { QueryCache } from "./query-cache.ts";
import type { QueryEvent } from "./query-state.ts";
import { QueryView } from "./query-view.ts";
import { retryDelay } from "./retry.ts";
import { Session } from "./session.ts";
import type { ShapesPart } from "./shapes-part.ts";
import type { ClientStorage } from "./storage.ts";
import { errorOf } from "./transport.ts";
import type {
  ConnectionStatus,
  LiveShape,
  MutatorApply,
  OptimisticUpdate,
  SettledMutation,
  ShapeOptions,
  SubscriptionHandlers,
} from "./types.ts";
import type { View, ViewEffect } from "./view.ts";
import { WriteQueue } from "./write-queue.ts";

/** A view that nobody looks at stays subscribed for so long. */
const VIEW_GRACE_MS = 5_000;
/** Results are stored when they have rested for so long. */
const KEEP_DELAY_MS = 500;
/** What storage and locks may take before writes go out without them. */
const START_TIMEOUT_MS = 3_000;
const AGAIN = { attempts: Infinity, initialDelayMs: 500, maxDelayMs: 30_000 };

export interface LiveOptions {
  readonly url: string;
  readonly environment: ClientEnvironment;
  readonly storage: ClientStorage;
  readonly token: AuthToken;
  readonly subject: string | undefined;
  readonly shapes: ShapesPart | undefined;
  /** Mutations that may wait at once. */
  readonly maxItems: number;
  /** Results that are kept. */
  readonly maxResults: number;
  readonly onStorageError: (error: unknown) => void;
  /** Without sockets views cannot be live, and mutations take another way. */
  readonly hasSockets: boolean;
}

/** Options of a mutation. */
export interface LiveMutation {
  readonly mutationId?: string;
  readonly signal?: AbortSignal;
  readonly shardKey?: string;
  readonly optimisticUpdate?: OptimisticUpdate<never>;
}

interface Awaiter {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

type NewEntry = Omit<OutboxEntry, "seq" | "isTried">;

/** A mutation and where it goes; by whom is not known yet while the token's provider has not answered. */
interface Waiting {
  readonly shard: string;
  readonly entry: NewEntry;
}

/**
 * The live half of a client: does what the state machines decide, and keeps the order of things.
 * Everything that one message brings is applied, then optimistic layers run over it, then
 * listeners are told, then callers get their results.
 */
export class Live implements LinkHost, LayerHost {
  readonly environment: ClientEnvironment;
  readonly clientId: string;
  readonly shapes: ShapesPart | undefined;
  readonly connectionStatus: Observable<ConnectionStatus> = new Observable("idle");
  readonly pendingCount: Observable<number> = new Observable(0);
  readonly updates: Map<string, OptimisticUpdate<never>> = new Map();
  readonly mutators: Map<string, MutatorApply<never>> = new Map();
  readonly settledListeners: Set<{ readonly listener: (settled: SettledMutation) => void }> = new Set();
  /** Of both kinds, while somebody looks at them and a moment longer. */
  readonly views: Map<string, View> = new Map();
  readonly #options: LiveOptions;
  readonly #session: Session;
  readonly #links = new Map<string, Link>();
  readonly #graces = new Map<View, () => void>();
  readonly #awaiters = new Map<string, Awaiter>();
  /** Places of our own mutations in their sequences, by mutation id. */
  readonly #seqs = new Map<string, number>();
  readonly #writes: WriteQueue;
  readonly #lanes: Lanes;
  /** This page holds its own lock. */
  readonly #start: Promise<void>;
  #endNetwork: (() => void) | undefined;
  /** Adopted ones before our own. */
  #boxes: Box[] = [];
  #unclaimed: Waiting[] = [];
  #layers: Layer[] = [];
  #overlay: Overlay = newOverlay();
  #cache: QueryCache | undefined;
  /** The identity that views and boxes were last made active for. */
  #identity: string | undefined;
  #toKeep = new Set<QueryView>();
  #order = 0;
  #serial = 0;
  #isReady = false;
  #isClosed = false;
  // What the current turn has gathered.
  #depth = 0;
  #touched = new Set<View>();
  #freshLayers: Layer[] = [];
  #mustRebase = false;
  #afterwards: (() => void)[] = [];

  constructor(options: LiveOptions) {
    const { environment, storage, url, onStorageError, hasSockets } = options;
    this.#options = options;
    this.environment = environment;
    this.shapes = options.shapes;
    this.clientId = hasSockets ? mintId(environment.randomBytes(ID_RANDOM_BYTES)) : "";
    this.#lanes = new Lanes({
      name: `lunora:${url}`,
      clientId: this.clientId,
      environment,
      storage,
      identity: () => this.#session.identity,
      adopt: (boxes) => this.transact(() => this.#adopt(boxes)),
      onError: onStorageError,
    });
    this.#start = hasSockets ? this.#lanes.start().catch(onStorageError) : Promise.resolve();
    this.#writes = new WriteQueue(storage, this.#start, onStorageError);
    this.#session = new Session(options.token, options.subject, () => this.transact(() => this.#signIn()));
    if (!hasSockets) return;
    this.#signIn();
    this.#askToken(1);
    this.#endNetwork = environment.onNetworkChange((isOnline) =>
      this.transact(() => {
        for (const link of this.#links.values()) link.dispatch({ type: "network", isOnline });
      }),
    );
  }

  // Who it is

  setAuthToken(token: AuthToken, subject: string | undefined): void {
    this.transact(() => {
      // Nobody can say any more who called these.
      for (const { shard, entry } of this.#unclaimed.splice(0)) {
        this.#dropLayer(entry.mutationId);
        this.#tellSettled(shard, entry, "rejected", identityChanged(entry.path, false, false));
      }
      this.#session.set(token, subject);
      const isSame = this.#session.identity === this.#identity;
      for (const link of this.#links.values()) {
        // Sockets of the same identity go on with the token they have.
        if (!isSame || link.state.phase === "refused" || link.state.phase === "waiting") this.#reset(link);
      }
      this.#signIn();
      this.#askToken(1);
    });
  }

  token(): Promise<string | null> {
    return this.#session.token();
  }

  canRenew(token: string | null): boolean {
    return this.#session.canRenew(token);
  }

  /** Learns who is signed in, where only the provider of tokens can say. */
  #askToken(attempt: number): void {
    if (this.#session.identity !== undefined || this.#isClosed) return;
    this.token().catch((error: unknown) => {
      this.environment.report(error);
      this.#after(attempt, () => this.#askToken(attempt + 1));
    });
  }

  #after(attempt: number, work: () => void): void {
    const delay = retryDelay(attempt, this.environment.random(), AGAIN);
    this.environment.setTimer(delay, () => this.transact(work));
  }

  /** Makes what belongs to the session's identity active, if it is known. */
  #signIn(): void {
    const { identity } = this.#session;
    if (identity === undefined) return;
    const before = this.#identity;
    this.#identity = identity;
    if (before !== identity) {
      if (before !== undefined) this.#signOut(before);
      this.#look(identity);
    }
    for (const { shard, entry } of this.#unclaimed.splice(0)) this.#enqueue(shard, identity, entry);
    this.addLayers();
    this.#needAll();
  }

  /** Finds what earlier pages left, which goes before anything of this page. */
  #look(identity: string): void {
    const { maxResults, storage, onStorageError } = this.#options;
    const current = (work: () => void) => (): void => {
      if (this.#identity === identity) this.transact(work);
    };
    const cache = new QueryCache(identity, this.#writes, maxResults);
    this.#cache = cache;
    const restore = current(() => {
      for (const view of this.views.values()) this.#restore(view);
    });
    cache.load(storage).then(restore, onStorageError);
    this.#isReady = false;
    const ready = current(() => {
      this.#isReady = true;
      for (const box of this.#boxes) if (!box.state.isUp) this.#up(box);
    });
    const endTimer = this.environment.setTimer(START_TIMEOUT_MS, ready);
    void this.#start
      .then(() => this.#lanes.scan())
      .catch(onStorageError)
      .finally(() => {
        endTimer();
        ready();
      });
  }

  /** Nothing of the earlier identity is shown, and none of its sockets is used. */
  #signOut(before: string): void {
    const unclaimed = new Set(this.#unclaimed.map(({ entry }) => entry.mutationId));
    this.#layers = this.#layers.filter(({ mutationId }) => unclaimed.has(mutationId));
    this.#cache?.clear();
    for (const link of this.#links.values()) this.#reset(link);
    for (const view of this.views.values()) this.#step(view, { type: "forget" });
    // Its entries stay in storage until it is back, here or in another page; where that failed, in this page.
    const stays = ({ clientId }: Box): boolean => clientId === this.clientId || this.#writes.hasFailed;
    for (const box of this.#boxes) {
      if (!stays(box)) this.#release(box.clientId);
      if (box.identity !== before) continue;
      for (const entry of box.state.entries)
        this.#tellSettled(box.shard, entry, "kept", identityChanged(entry.path, true, entry.isTried));
    }
    this.#boxes = this.#boxes.filter(stays);
  }

  /** The lock goes when storage says what is so: until then nobody may look for entries there. */
  #release(clientId: string): void {
    void this.#writes.settled().then((isGone) => isGone && this.#lanes.release(clientId));
  }

  // Views

  query(reference: FunctionReference, args: unknown = {}): QueryView {
    const { path } = reference;
    const shard = shardOf(reference, args);
    const key = subscriptionKey(path, args, shard);
    return this.#view(key, () => new QueryView(key, path, encodeValue(args), shard, this.#onUse)) as QueryView;
  }

  shape(reference: ShapeReference, args: unknown = {}, options: ShapeOptions<never> = {}): View & LiveShape {
    const { shapes } = this;
    if (!shapes) throw new LunoraError("NOT_IMPLEMENTED", "Give the client `shapes` of `@lunora/client/shapes`");
    const shard = shardOf(reference, args);
    const key = `shape ${subscriptionKey(reference.name, args, shard)}`;
    const view = this.#view(key, () => shapes.view(reference, args, key, shard, this.#onUse));
    shapes.configure(view, options);
    return view as View & LiveShape;
  }

  subscribe(
    reference: FunctionReference,
    args: unknown,
    handlers: SubscriptionHandlers<never>,
  ): { readonly view: QueryView; readonly end: () => void } {
    const view = this.query(reference, args);
    let told: unknown = view;
    const tell = (): void => {
      const { status, data, error } = view.getSnapshot();
      if (status === "loading" || told === (error ?? data)) return;
      told = error ?? data;
      if (error) handlers.onError?.(error);
      else handlers.onData?.(data as never);
    };
    const end = view.subscribe(tell);
    callSafely(tell, this.environment.report);
    return { view, end };
  }

  #view(key: string, make: () => View): View {
    let view = this.views.get(key);
    if (!view) {
      view = make();
      this.views.set(key, view);
      this.#restore(view);
      view.publish(this.#overlay);
      this.#grace(view);
    }
    return view;
  }

  readonly #onUse = (view: View, isUsed: boolean): void => {
    this.#graces.get(view)?.();
    if (!isUsed) return this.#grace(view);
    if (!this.views.has(view.key)) this.views.set(view.key, view);
    if (view.id === "") this.transact(() => this.#activate(view));
  };

  #grace(view: View): void {
    const retire = (): void => this.transact(() => this.#retire(view));
    this.#graces.set(view, this.environment.setTimer(VIEW_GRACE_MS, retire));
  }

  #activate(view: View): void {
    const { shard } = view;
    const fail = (error: LunoraError): void => this.#step(view, { type: "failed", error });
    if (!this.#options.hasSockets)
      return fail(new LunoraError("NOT_IMPLEMENTED", "Nothing is live without WebSockets"));
    if (shard === undefined) return fail(new LunoraError("FAN_OUT_NOT_LIVE", "It has no single shard: use `query`"));
    this.#restore(view);
    const link = this.#linkOf(shard);
    this.#subscribe(view, link);
    if (link.refusal) fail(link.refusal);
    this.#need(shard);
  }

  #subscribe(view: View, link: Link): void {
    view.id = `s${++this.#serial}`;
    link.views.set(view.id, view);
    link.send(view.subscribeFrame());
  }

  #unsubscribe(view: View): void {
    const link = this.#links.get(view.shard ?? "");
    if (link?.views.delete(view.id)) link.send(view.unsubscribeFrame());
    view.id = "";
  }

  /** Nobody looks any more: the cache remembers, the view does not. */
  #retire(view: View): void {
    this.#graces.delete(view);
    this.#unsubscribe(view);
    if (this.#toKeep.delete(view as QueryView)) this.#cache?.keep(view as QueryView, this.environment.now());
    if (this.views.get(view.key) === view) this.views.delete(view.key);
    this.#step(view, { type: "forget" });
    this.#mustRebase = true;
    if (view.shard !== undefined) this.#need(view.shard);
  }

  #restore(view: View): void {
    const event = this.#cache?.restore(view.key);
    if (event) this.#step(view, event);
  }

  #step(view: View, event: QueryEvent): void {
    this.#stepped(view, view.step(event));
  }

  #stepped(view: View, effects: readonly ViewEffect[]): void {
    this.#touched.add(view);
    for (const effect of effects) {
      if (effect === "restart") this.#restart(view);
      else this.#keep(view as QueryView);
    }
  }

  /** Reads a view afresh: at once the first time, then after growing pauses. */
  #restart(view: View): void {
    const { shard } = view;
    if (view.id === "" || shard === undefined) return;
    this.#unsubscribe(view);
    const again = (): void => {
      if (view.id === "" && view.isUsed) this.#subscribe(view, this.#linkOf(shard));
    };
    if (view.strikes <= 1) again();
    else this.#after(view.strikes, again);
  }

  #keep(view: QueryView): void {
    if (this.#toKeep.size === 0) {
      this.environment.setTimer(KEEP_DELAY_MS, () => {
        for (const kept of this.#toKeep) this.#cache?.keep(kept, this.environment.now());
        this.#toKeep = new Set();
      });
    }
    this.#toKeep.add(view);
  }

  // Mutations

  /** Queues a mutation for its shard; `undefined`: it has none, and takes another way. */
  mutate(reference: FunctionReference, args: unknown = {}, options: LiveMutation = {}): Promise<unknown> | undefined {
    const shard = shardOf(reference, args, options.shardKey);
    if (shard === undefined || !this.#options.hasSockets) return undefined;
    const { signal, mutationId = mintId(this.environment.randomBytes(ID_RANDOM_BYTES)) } = options;
    signal?.throwIfAborted();
    const known = this.#awaiters.get(mutationId);
    if (known) return known.promise;
    const entry = this.#entry(mutationId, reference.path, args);
    const awaiter = newAwaiter();
    this.#awaiters.set(mutationId, awaiter);
    this.transact(() => {
      this.#addLayer(shard, entry, options.optimisticUpdate);
      const { identity } = this.#session;
      if (identity === undefined) this.#unclaimed.push({ shard, entry });
      else this.#enqueue(shard, identity, entry);
      this.#need(shard);
    });
    const abort = (): void => this.transact(() => this.#abort(shard, mutationId, signal?.reason));
    signal?.addEventListener("abort", abort, { once: true });
    return awaiter.promise;
  }

  #entry(mutationId: string, path: string, args: unknown): NewEntry {
    if (this.#pending() >= this.#options.maxItems)
      throw new LunoraError("OFFLINE_QUEUE_OVERFLOW", `${this.#options.maxItems} mutations are waiting already`);
    const encoded = encodeValue(args);
    const text = JSON.stringify({ clientSeq: Number.MAX_SAFE_INTEGER, mutationId, functionPath: path, args: encoded });
    const bytes = new TextEncoder().encode(text).length + 1;
    if (bytes > MAX_ENTRY_BYTES)
      throw new LunoraError("PAYLOAD_TOO_LARGE", `A mutation has at most ${MAX_ENTRY_BYTES} bytes, not ${bytes}`);
    return { order: ++this.#order, mutationId, path, args: encoded, bytes, at: this.environment.now() };
  }

  #enqueue(shard: string, identity: string, entry: NewEntry): void {
    const { clientId } = this;
    let box = this.#boxes.find(
      (other) => other.clientId === clientId && other.shard === shard && other.identity === identity,
    );
    if (box === undefined) {
      this.#boxes.push((box = { clientId, shard, identity, state: openOutbox() }));
      this.#up(box);
    }
    this.#stepBox(box, { type: "enqueue", entry });
    const { refusal } = this.#linkOf(shard);
    if (refusal?.code === FORBIDDEN) this.#stepBox(box, { type: "refuse", error: refusal });
  }

  #abort(shard: string, mutationId: string, reason: unknown): void {
    const awaiter = this.#awaiters.get(mutationId);
    this.#awaiters.delete(mutationId);
    awaiter?.reject(reason);
    const left = this.#unclaimed.filter(({ entry }) => entry.mutationId !== mutationId);
    if (left.length < this.#unclaimed.length) this.#dropLayer(mutationId);
    this.#unclaimed = left;
    for (const box of this.#activeBoxes(shard)) this.#stepBox(box, { type: "abort", mutationId });
  }

  #pending(): number {
    return this.#activeBoxes().reduce((sum, { state }) => sum + state.entries.length, this.#unclaimed.length);
  }

  #activeBoxes(shard?: string): Box[] {
    const { identity } = this.#session;
    return this.#boxes.filter((box) => box.identity === identity && box.shard === (shard ?? box.shard));
  }

  #adopt(boxes: readonly Box[]): void {
    for (const { clientId, identity } of boxes) if (identity !== this.#identity) return this.#release(clientId);
    this.#boxes.unshift(...boxes);
    for (const box of boxes) this.#up(box);
    this.addLayers();
    this.#needAll();
  }

  #up(box: Box): void {
    const link = this.#links.get(box.shard);
    if (!this.#isReady || link?.state.phase !== "open" || box.identity !== this.#session.identity) return;
    const { lastMutationId } = link;
    this.#stepBox(box, box.clientId === this.clientId ? { type: "up", lastMutationId } : { type: "up" });
  }

  #stepBox(box: Box, event: OutboxEvent): void {
    const [state, effects] = stepOutbox(box.state, event);
    box.state = state;
    const link = this.#linkOf(box.shard);
    for (const effect of effects) this.#perform(box, link, effect);
    this.#scheduleFlush(link);
    if (state.entries.length > 0) return;
    this.#need(box.shard);
    const { clientId } = box;
    const isLeft = (other: Box): boolean => other.clientId === clientId && other.state.entries.length > 0;
    if (clientId === this.clientId || this.#boxes.some(isLeft)) return;
    this.#boxes = this.#boxes.filter((other) => other.clientId !== clientId);
    this.#release(clientId);
  }

  #perform(box: Box, link: Link, effect: OutboxEffect): void {
    const { clientId } = box;
    switch (effect.type) {
      case "push": {
        const id = `p${++this.#serial}`;
        link.pushes.set(id, { box, sent: effect.entries });
        const entries = effect.entries.map(({ seq, mutationId, path, args }) => ({
          clientSeq: seq,
          mutationId,
          functionPath: path,
          args,
        }));
        link.send({ type: "push", id, clientId, entries, received: effect.received });
        break;
      }
      case "store":
        for (const entry of effect.entries) {
          if (clientId === this.clientId) this.#seqs.set(entry.mutationId, entry.seq);
          this.#writes.put(entryKey(clientId, entry.order), storedEntry(box, entry));
        }
        break;
      case "storing":
        void this.#writes.settled().then(() => this.transact(() => this.#stepBox(box, { type: "stored" })));
        break;
      case "settle": {
        const { entry, outcome, result, error } = effect;
        this.#writes.put(entryKey(clientId, entry.order), undefined);
        this.#seqs.delete(entry.mutationId);
        this.#dropLayer(entry.mutationId);
        if (outcome !== "aborted") this.#tellSettled(box.shard, entry, outcome, error && errorOf(error), result);
        break;
      }
      case "drop":
        link.dispatch({ type: "drop" });
    }
  }

  /** After listeners have been told of what it did. */
  #tellSettled(
    shard: string,
    { mutationId, path, args }: NewEntry,
    status: SettledMutation["status"],
    error?: LunoraError,
    result?: unknown,
  ): void {
    const awaiter = this.#awaiters.get(mutationId);
    this.#awaiters.delete(mutationId);
    this.#afterwards.push(() => {
      if (error) awaiter?.reject(error);
      else awaiter?.resolve(decodeValue(result));
      const hadAwaiter = awaiter !== undefined;
      const settled = { status, mutationId, path, args: decodeValue(args), shard, ...(error && { error }), hadAwaiter };
      for (const { listener } of Array.from(this.settledListeners))
        callSafely(() => listener(settled), this.environment.report);
    });
  }

  // Layers

  /** Adds what is missing, for mutations that an earlier page or an earlier identity left; in the order of the outbox. */
  readonly addLayers = (): void => {
    const all: Waiting[] = this.#activeBoxes().flatMap(({ shard, state }) =>
      state.entries.map((entry) => ({ shard, entry })),
    );
    all.push(...this.#unclaimed);
    for (const { shard, entry } of all) this.#addLayer(shard, entry);
    const place = new Map(all.map(({ entry }, index) => [entry.mutationId, index]));
    this.#layers.sort((left, right) => (place.get(left.mutationId) ?? 0) - (place.get(right.mutationId) ?? 0));
    this.#mustRebase = true;
  };

  #addLayer(
    shard: string,
    { mutationId, path, args, at }: NewEntry,
    update: OptimisticUpdate<never> | undefined = this.updates.get(path),
  ): void {
    const apply = this.mutators.get(path);
    if (!(update ?? apply) || this.#layers.some((layer) => layer.mutationId === mutationId)) return;
    const layer: Layer = { mutationId, shard, args: decodeValue(args), at, update, apply };
    this.#layers.push(layer);
    this.#freshLayers.push(layer);
  }

  #dropLayer(mutationId: string): void {
    this.#mustRebase ||= this.#layers.length > 0;
    this.#layers = this.#layers.filter((layer) => layer.mutationId !== mutationId);
  }

  readonly findQuery = (reference: FunctionReference, args: unknown = {}): QueryView | undefined =>
    this.views.get(subscriptionKey(reference.path, args, shardOf(reference, args))) as QueryView | undefined;

  readonly seqOf = (mutationId: string): number => this.#seqs.get(mutationId) ?? Infinity;

  readonly report = (error: unknown): void => this.environment.report(error);

  // Links

  socketUrl(shard: string): string {
    const url = new URL(this.#options.url + PATHS.ws, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("shard", shard);
    return url.href;
  }

  greeted(link: Link, { lastMutationId = 0, epoch }: AckFrame): void {
    link.lastMutationId = lastMutationId;
    for (const view of link.views.values()) this.#step(view, { type: "greeted", epoch });
    for (const box of this.#activeBoxes(link.shard)) this.#up(box);
  }

  received(link: Link, frame: ServerFrame): void {
    const { views, pushes } = link;
    switch (frame.type) {
      case "data":
      case "delta": {
        link.lastMutationId = frame.lastMutationId ?? link.lastMutationId;
        const view = views.get(frame.id);
        if (view) this.#step(view, { type: "frame", frame, lastMutationId: link.lastMutationId });
        break;
      }
      case "resume":
      case "settled": {
        if (frame.type === "settled") link.lastMutationId = frame.lastMutationId ?? link.lastMutationId;
        const { lastMutationId } = link;
        for (const view of views.values()) {
          if (view.id === (frame.id ?? view.id)) this.#step(view, { type: "unchanged", frame, lastMutationId });
        }
        break;
      }
      case "pokeStart":
      case "pokePart":
      case "pokeEnd":
        link.pokes =
          this.shapes?.receive(link.pokes, frame, views, link.lastMutationId, (view, effects) =>
            this.#stepped(view, effects),
          ) ?? link.pokes;
        break;
      case "ack":
      case "error": {
        const { id = "" } = frame;
        const view = views.get(id);
        if (view && frame.type === "error") this.#step(view, { type: "failed", error: errorOf(frame.error) });
        const push = pushes.get(id);
        pushes.delete(id);
        if (!push) break;
        const { box, sent } = push;
        if (frame.type === "error") {
          const results = sent.map(({ seq }) => ({ clientSeq: seq, error: frame.error }));
          return this.#stepBox(box, { type: "ack", sent, results });
        }
        const { results = [], lastMutationId } = frame;
        if (box.clientId === this.clientId) link.lastMutationId = lastMutationId ?? link.lastMutationId;
        this.#stepBox(box, { type: "ack", sent, results, lastMutationId });
      }
    }
  }

  down(link: Link): void {
    link.pushes.clear();
    link.pokes = new Map();
    for (const view of link.views.values()) this.#step(view, { type: "down" });
    for (const box of this.#boxes) if (box.shard === link.shard) this.#stepBox(box, { type: "down" });
  }

  refused(link: Link, code: number): void {
    const { shard } = link;
    const isForbidden = code === CLOSE_CODES.forbidden;
    const error =
      link.complaint ??
      new LunoraError(
        isForbidden ? FORBIDDEN : code === CLOSE_CODES.tokenExpired ? "TOKEN_EXPIRED" : "UNAUTHORIZED",
        `\`${shard}\` refused the connection`,
      );
    link.refusal = error;
    for (const view of link.views.values()) this.#step(view, { type: "failed", error });
    // Who is not known may be known later, and then the writes go on. Who is known and may not never will.
    if (isForbidden) for (const box of this.#activeBoxes(shard)) this.#stepBox(box, { type: "refuse", error });
  }

  #reset(link: Link): void {
    link.refusal = undefined;
    link.dispatch({ type: "reset" });
  }

  #linkOf(shard: string): Link {
    let link = this.#links.get(shard);
    if (!link) this.#links.set(shard, (link = new Link(shard, this)));
    return link;
  }

  /** Tells the link whether there is something to do for it. */
  #need(shard: string): void {
    const link = this.#linkOf(shard);
    const isNeeded =
      link.views.size > 0 ||
      this.#activeBoxes(shard).some(({ state }) => state.entries.length > 0) ||
      this.#unclaimed.some((waiting) => waiting.shard === shard);
    link.dispatch({ type: "need", isNeeded });
  }

  #needAll(): void {
    for (const { shard } of this.#activeBoxes()) this.#need(shard);
  }

  /** What one turn queues travels together. */
  #scheduleFlush(link: Link): void {
    if (link.willFlush || link.state.phase !== "open") return;
    link.willFlush = true;
    queueMicrotask(() =>
      this.transact(() => {
        link.willFlush = false;
        for (const box of this.#activeBoxes(link.shard)) {
          // Later ones wait for an earlier one, so that a reload keeps the order.
          if (box.state.storing > 0) return;
          if (box.state.sent < box.state.entries.length) this.#stepBox(box, { type: "flush" });
        }
      }),
    );
  }

  statusOf(shard: string): ConnectionStatus {
    const link = this.#links.get(shard);
    return link ? statusOfConnection(link.state) : "idle";
  }

  close(): void {
    this.#isClosed = true;
    this.#endNetwork?.();
    this.#lanes.close();
    for (const cancel of this.#graces.values()) cancel();
    for (const link of this.#links.values()) link.close();
  }

  // Turns

  readonly transact = (work: () => void): void => {
    if (this.#isClosed) return;
    this.#depth++;
    try {
      work();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  };

  #commit(): void {
    const { report } = this.environment;
    const touched = this.#touched;
    const fresh = this.#freshLayers;
    const afterwards = this.#afterwards;
    this.#touched = new Set();
    this.#freshLayers = [];
    this.#afterwards = [];
    let layers: readonly Layer[] = fresh;
    if (this.#mustRebase || (touched.size > 0 && this.#layers.length > 0)) {
      const { results } = this.#overlay;
      for (const view of [...results.keys(), ...(this.shapes?.touched(this.#overlay, this.views) ?? [])])
        touched.add(view);
      this.#mustRebase = false;
      this.#overlay = newOverlay();
      layers = this.#layers;
    }
    for (const layer of layers) addLayer(this.#overlay, layer, this, touched);
    const changed: Pick<View, "notify">[] = [...touched].filter((view) => view.publish(this.#overlay));
    const statuses = new Set([...this.#links.keys()].map((shard) => this.statusOf(shard)));
    const status = (["offline", "connecting", "connected"] as const).find((worst) => statuses.has(worst)) ?? "idle";
    if (this.connectionStatus.change(status)) changed.push(this.connectionStatus);
    if (this.pendingCount.change(this.#pending())) changed.push(this.pendingCount);
    for (const store of changed) store.notify(report);
    for (const view of touched) view.tell(report);
    for (const work of afterwards) callSafely(work, report);
  }
}

const FORBIDDEN = "FORBIDDEN_SHARD";

/** The name of the one object that a call goes to; `undefined` when it goes to none or to many. */
function shardOf(
  { address }: Pick<FunctionReference, "address">,
  args: unknown,
  shardKey?: string,
): string | undefined {
  const target = resolveAddress(address, args as Record<string, unknown>, shardKey);
  return target.kind === "object" ? target.name : undefined;
}

function identityChanged(path: string, isKept: boolean, mayHaveTakenEffect: boolean): LunoraError {
  return new LunoraError("OFFLINE_IDENTITY_CHANGED", `Another identity has signed in: \`${path}\` is not sent`, {
    data: { isKept, mayHaveTakenEffect },
  });
}

function newOverlay(): Overlay {
  return { results: new Map(), rows: new Map() };
}

function newAwaiter(): Awaiter {
  const awaiter: Partial<{ -readonly [Field in keyof Awaiter]: Awaiter[Field] }> = {};
  awaiter.promise = new Promise((resolve, reject) => Object.assign(awaiter, { resolve, reject }));
  return awaiter as Awaiter;
}
