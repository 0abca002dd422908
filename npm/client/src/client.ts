import { isLunoraError, LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue, HEADERS, ID_RANDOM_BYTES, MAX_BATCH_CALLS, mintId, PATHS } from "@lunora/protocol";
import type { ArgumentsOf, BatchRequest, CallArguments, ResultOf, RpcRequest, ShapeReference } from "@lunora/protocol";

import type { BatchEntry, BatchResults, PendingCall, PublicReference, Settled } from "./batch.ts";
import { hostEnvironment } from "./environment.ts";
import type { ClientEnvironment } from "./environment.ts";
import { DEFAULT_RETRY, isTransient, retryDelay } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ShapesPart } from "./shapes-part.ts";
import { indexedDbStorage } from "./indexed-db.ts";
import { Live } from "./live.ts";
import { memoryStorage } from "./storage.ts";
import type { ClientStorage } from "./storage.ts";
import { failureOf, isObject, post } from "./transport.ts";
import type { PostAnswer } from "./transport.ts";
import type {
  ConnectionStatus,
  LiveQuery,
  LiveShape,
  MutatorApply,
  OptimisticUpdate,
  RowOf,
  SettledMutation,
  ShapeArguments,
  ShapeOptions,
  Store,
  Subscription,
  SubscriptionHandlers,
} from "./types.ts";

/** A bearer token, or what gets one anew for each request; `null` for nobody. */
export type AuthToken = string | null | (() => string | null | Promise<string | null>);

/** Options of the client. */
export interface LunoraClientOptions {
  /** Origin of the Worker, for example `https://app.example.com`; empty for that of the page. */
  readonly url: string;
  readonly token?: AuthToken;
  /** Who the token stands for: see {@link LunoraClient.setAuthToken}. */
  readonly subject?: string;
  /** `http`: no sockets, so nothing live and no outbox. By default sockets, where there are any. */
  readonly transport?: "http";
  /** `shapes` of `@lunora/client/shapes`, for shapes and mutators; apart, because not every app has them. */
  readonly shapes?: ShapesPart;
  /** Where the outbox and results outlive the page. By default IndexedDB, or memory where there is none. */
  readonly storage?: ClientStorage;
  /** Most mutations that wait at once; more are refused with `OFFLINE_QUEUE_OVERFLOW`. 1,000. */
  readonly maxItems?: number;
  /** Most results of queries that are kept. 100. */
  readonly maxResults?: number;
  /** Told when the storage fails; the client goes on from memory. Reported as an uncaught error by default. */
  readonly onStorageError?: (error: unknown) => void;
  readonly fetch?: ClientEnvironment["fetch"];
  readonly retry?: Partial<RetryPolicy>;
  /** Clock and randomness, for tests and simulations. */
  readonly environment?: Partial<Omit<ClientEnvironment, "fetch">>;
}

/** Options of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The bare shard value. The reference carries the address; when given, it must agree. */
  readonly shardKey?: string;
}

/** Options of a mutation. */
export interface MutationOptions<Arguments = unknown> extends CallOptions {
  /** Shows the expected outcome at once; needs sockets. */
  readonly optimisticUpdate?: OptimisticUpdate<Arguments>;
  /**
   * Names the mutation, 22 characters of base64url where rows' ids are to be derived from it.
   * Minted unless given. Over HTTP calls with the same id have one effect within 24 hours; in the
   * outbox a call with the id of one that waits joins it.
   */
  readonly mutationId?: string;
}

/** Arguments and options of a call whose reference is not known yet. */
type OpenCall<Options> = readonly [args?: unknown, options?: Options];

/** Calls functions, and keeps what they return up to date. */
export class LunoraClient {
  readonly #url: string;
  readonly #environment: ClientEnvironment;
  readonly #retry: RetryPolicy;
  readonly #live: Live;
  /** The worst of the shards in use: `offline`, then `connecting`, then `connected`. */
  readonly connectionStatus: Store<ConnectionStatus>;
  /** Mutations of this identity that the server has not decided yet. */
  readonly pendingCount: Store<number>;

  constructor(options: LunoraClientOptions) {
    this.#url = options.url.replace(/\/+$/, "");
    const host = { ...hostEnvironment(), ...options.environment };
    this.#environment = options.fetch === undefined ? host : { ...host, fetch: options.fetch };
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    const hasSockets = options.transport !== "http" && this.#environment.WebSocket !== undefined;
    this.#live = new Live({
      url: this.#url,
      environment: this.#environment,
      storage:
        options.storage ??
        (hasSockets && typeof indexedDB === "object" ? indexedDbStorage(`lunora:${this.#url}`) : memoryStorage()),
      maxItems: options.maxItems ?? 1_000,
      maxResults: options.maxResults ?? 100,
      onStorageError: options.onStorageError ?? this.#environment.report,
      hasSockets,
      token: options.token ?? null,
      subject: options.subject,
      shapes: options.shapes,
    });
    this.connectionStatus = this.#live.connectionStatus;
    this.pendingCount = this.#live.pendingCount;
  }

  /**
   * Used from the next request on. Another identity closes the sockets, and nothing of the earlier
   * one is shown or sent: queued mutations of the earlier one are kept, and their callers get
   * `OFFLINE_IDENTITY_CHANGED`. `subject` names who it is: give it where a token is no JWT and
   * changes, or where its provider cannot answer offline.
   */
  setAuthToken(token: AuthToken, subject?: string): void {
    this.#live.setAuthToken(token, subject);
  }

  /** Runs a query once. Repeated while the server is away, within bounds. */
  query<Reference extends PublicReference<"query">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: CallOptions]
  ): Promise<ResultOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<CallOptions>;
    return this.#repeat(() => this.#call(reference, args, {}, options), options?.signal);
  }

  /**
   * Runs a mutation, once and in the order of the calls: it waits in the outbox, also over a reload,
   * until the server has decided it. Without sockets, or when it has no shard, it goes over HTTP,
   * is repeated while the server is away, and its id keeps the effect at one.
   */
  async mutation<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: MutationOptions<ArgumentsOf<Reference>>]
  ): Promise<ResultOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<MutationOptions<never>>;
    const queued = this.#live.mutate(reference, args, options);
    if (queued) return queued as Promise<ResultOf<Reference>>;
    const headers = { [HEADERS.mutationId]: options?.mutationId ?? this.#mintMutationId() };
    return this.#repeat(() => this.#call(reference, args, headers, options), options?.signal);
  }

  /** Runs an action. Sent once: what it does outside cannot be undone or recognised. */
  async action<Reference extends PublicReference<"action">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: CallOptions]
  ): Promise<ResultOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<CallOptions>;
    return this.#call(reference, args, {}, options);
  }

  /** Several calls in one request (500 each); one that fails does not fail the others. */
  async batch<const Entries extends readonly BatchEntry[]>(
    entries: Entries,
    options?: { readonly signal?: AbortSignal },
  ): Promise<BatchResults<Entries>> {
    const settled = new Map<string, Settled<unknown>>();
    let pending = entries.map((entry, position) => this.#pendingCall(entry, String(position)));
    for (let failures = 0; pending.length > 0;) {
      for (let start = 0; start < pending.length; start += MAX_BATCH_CALLS) {
        await this.#sendChunk(pending.slice(start, start + MAX_BATCH_CALLS), settled, options?.signal);
      }
      failures++;
      if (failures >= this.#retry.attempts) break;
      pending = pending.filter(({ call, isRepeatable }) => {
        const outcome = settled.get(call.id);
        return isRepeatable && outcome?.ok === false && isTransient(outcome.error);
      });
      if (pending.length > 0) await this.#pause(failures, options?.signal);
    }
    return entries.map((_, position) => settled.get(String(position))) as unknown as BatchResults<Entries>;
  }

  /** The query's shared view: one for equal path, arguments and shard. Subscribes while somebody listens. */
  liveQuery<Reference extends PublicReference<"query">>(
    reference: Reference,
    ...[args]: CallArguments<Reference>
  ): LiveQuery<ResultOf<Reference>> {
    return this.#live.query(reference, args) as LiveQuery<ResultOf<Reference>>;
  }

  /** Tells each result of a query, optimistic ones included, from now until `unsubscribe`. */
  subscribe<Reference extends PublicReference<"query">>(
    reference: Reference,
    args: ArgumentsOf<Reference>,
    handlers: SubscriptionHandlers<ResultOf<Reference>> | ((data: ResultOf<Reference>) => void),
  ): Subscription<ResultOf<Reference>> {
    const both = typeof handlers === "function" ? { onData: handlers } : handlers;
    const { view, end } = this.#live.subscribe(reference, args, both as SubscriptionHandlers<never>);
    return { unsubscribe: end, current: () => view.getSnapshot().data as ResultOf<Reference> | undefined };
  }

  /** The shape's shared view. Subscribes while somebody listens. */
  shape<Reference extends ShapeReference>(
    reference: Reference,
    ...rest: [...ShapeArguments<Reference>, options?: ShapeOptions<RowOf<Reference>>]
  ): LiveShape<RowOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<ShapeOptions<never>>;
    return this.#live.shape(reference, args, options) as LiveShape<RowOf<Reference>>;
  }

  /** Runs a mutator: its client half at once over the shapes, its server half through the outbox. */
  mutate<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: MutationOptions<ArgumentsOf<Reference>>]
  ): Promise<ResultOf<Reference>> {
    return this.mutation(reference, ...(rest as never));
  }

  /** Names the client half of a mutator, also for mutations that an earlier page left in the outbox. */
  registerMutator<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    apply: MutatorApply<ArgumentsOf<Reference>>,
  ): void {
    this.#live.mutators.set(reference.path, apply as MutatorApply<never>);
    this.#live.transact(this.#live.addLayers);
  }

  /** The optimistic update of every call of a mutation that brings none, also of those that an earlier page left. */
  registerOptimistic<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    update: OptimisticUpdate<ArgumentsOf<Reference>>,
  ): void {
    this.#live.updates.set(reference.path, update as OptimisticUpdate<never>);
    this.#live.transact(this.#live.addLayers);
  }

  /** One shard, by its object's name. */
  connectionStatusOf(shard: string): ConnectionStatus {
    return this.#live.statusOf(shard);
  }

  /** Tells how each queued mutation ended, those of earlier pages included. */
  onMutationSettled(listener: (settled: SettledMutation) => void): () => void {
    const entry = { listener };
    this.#live.settledListeners.add(entry);
    return () => void this.#live.settledListeners.delete(entry);
  }

  /** Closes sockets and timers; what is queued stays in storage. The client is of no use afterwards. */
  close(): void {
    this.#live.close();
  }

  #mintMutationId(): string {
    return mintId(this.#environment.randomBytes(ID_RANDOM_BYTES));
  }

  async #headers(): Promise<Record<string, string>> {
    const token = await this.#live.token();
    return token === null ? {} : { [HEADERS.authorization]: `Bearer ${token}` };
  }

  /** The reference is what says the type of the result. */
  async #call<Reference extends PublicReference>(
    reference: Reference,
    args: unknown,
    headers: Readonly<Record<string, string>>,
    options: CallOptions = {},
  ): Promise<ResultOf<Reference>> {
    const body: RpcRequest = {
      functionPath: reference.path,
      args: encodeValue(args ?? {}),
      ...(options.shardKey === undefined ? {} : { shardKey: options.shardKey }),
    };
    const answer = await post(this.#environment, {
      url: this.#url + PATHS.rpc,
      headers: { ...(await this.#headers()), ...headers },
      body,
      signal: options.signal,
    });
    return resultOf(answer) as ResultOf<Reference>;
  }

  async #repeat<Value>(attempt: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    for (let failures = 1; ; failures++) {
      try {
        return await attempt();
      } catch (failure) {
        if (failures >= this.#retry.attempts || !isTransient(failure)) throw failure;
        await this.#pause(failures, signal);
      }
    }
  }

  #pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#environment.sleep(retryDelay(failures, this.#environment.random(), this.#retry), signal);
  }

  #pendingCall({ reference, args }: BatchEntry, id: string): PendingCall {
    return {
      call: {
        id,
        functionPath: reference.path,
        args: encodeValue(args ?? {}),
        ...(reference.kind === "mutation" ? { mutationId: this.#mintMutationId() } : {}),
      },
      isRepeatable: reference.kind !== "action",
    };
  }

  /** Settles every call of the chunk; what the server said nothing about is a transient failure. */
  async #sendChunk(
    chunk: readonly PendingCall[],
    settled: Map<string, Settled<unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const body: BatchRequest = { calls: chunk.map(({ call }) => call) };
    let slots: ReadonlyMap<string, unknown>;
    let verdict: LunoraError = new LunoraError("SHARD_ERROR", "The server's answer to the batch leaves this call out");
    try {
      const answer = await post(this.#environment, {
        url: this.#url + PATHS.rpcBatch,
        headers: await this.#headers(),
        body,
        signal,
      });
      slots = slotsOf(answer);
    } catch (failure) {
      if (!isLunoraError(failure)) throw failure;
      slots = new Map();
      verdict = failure;
    }
    for (const { call } of chunk)
      settled.set(call.id, slots.has(call.id) ? settle(slots.get(call.id)) : { ok: false, error: verdict });
  }
}

function resultOf(answer: PostAnswer): unknown {
  const { status, body } = answer;
  if (status < 200 || status >= 300 || !isObject(body) || "error" in body) throw failureOf(answer);
  return decodeValue(body["result"]);
}

function slotsOf(answer: PostAnswer): ReadonlyMap<string, unknown> {
  const results = isObject(answer.body) ? answer.body["results"] : undefined;
  if (!Array.isArray(results)) throw failureOf(answer);
  return new Map(results.filter(isObject).map((slot) => [String(slot["id"]), slot["body"]]));
}

function settle(body: unknown): Settled<unknown> {
  try {
    return { ok: true, value: resultOf({ status: 200, body }) };
  } catch (failure) {
    if (!isLunoraError(failure)) throw failure;
    return { ok: false, error: failure };
  }
}
