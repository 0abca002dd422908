import { CodedError } from "@lunora/errors";
import { encodeValue, MUTATION_ID_HEADER, RPC_PATH } from "@lunora/protocol";
import type { ArgumentsOf, CallArguments, ResultOf, ShapeReference } from "@lunora/protocol";

import type { ClientEnvironment } from "./environment.ts";
import type { Extension } from "./extension.ts";
import { createLive } from "./live.ts";
import type { Live } from "./live.ts";
import type { OfflinePart } from "./offline-part.ts";
import type { TakeDelta } from "./query-state.ts";
import type { RetryPolicy } from "./retry.ts";
import type { ShapesPart } from "./shapes-part.ts";
import { resultOf } from "./transport.ts";
import type {
  ConnectionStatus,
  LiveQuery,
  LiveShape,
  MutatorApply,
  OptimisticUpdate,
  PublicReference,
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
  readonly shapes?: ShapesPart | undefined;
  /** `pageDeltas` of `@lunora/client/page-deltas`: less travels when lists and pages change. */
  readonly pageDeltas?: TakeDelta | undefined;
  /**
   * `offline()` of `@lunora/client/offline`: mutations that wait and results of queries outlive the
   * page. Without it they are kept in memory.
   */
  readonly offline?: OfflinePart | undefined;
  /** Most mutations that wait at once; more are refused with `OFFLINE_QUEUE_OVERFLOW`. 1,000. */
  readonly maxItems?: number;
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

/** Calls functions, and keeps what they return up to date. */
export class LunoraClient {
  readonly #live: Live;
  readonly #parts = new Map<Extension<unknown>, unknown>();
  /** The worst of the shards in use: `offline`, then `connecting`, then `connected`. */
  declare readonly connectionStatus: Store<ConnectionStatus>;
  /** Mutations of this identity that the server has not decided yet. */
  declare readonly pendingCount: Store<number>;

  constructor(options: LunoraClientOptions) {
    this.#live = createLive(options);
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
  ): Promise<ResultOf<Reference>>;
  query(reference: PublicReference, args?: unknown, options?: CallOptions): Promise<unknown> {
    return this.#live.http.repeat(() => this.#call(reference, args, options), options?.signal);
  }

  /**
   * Runs a mutation, once and in the order of the calls: it waits in the outbox, also over a reload,
   * until the server has decided it. Without sockets, or when it has no shard, it goes over HTTP,
   * is repeated while the server is away, and its id keeps the effect at one.
   */
  mutation<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: MutationOptions<ArgumentsOf<Reference>>]
  ): Promise<ResultOf<Reference>>;
  async mutation(
    reference: PublicReference,
    args: unknown = {},
    options: MutationOptions<never> = {},
  ): Promise<unknown> {
    const live = this.#live;
    const shard = live.shardOf(reference, args, options.shardKey);
    if (live.hasSockets && shard !== undefined) return live.mutations.mutate(shard, reference.path, args, options);
    const headers = { [MUTATION_ID_HEADER]: options.mutationId ?? live.mintId() };
    return live.http.repeat(() => this.#call(reference, args, options, headers), options.signal);
  }

  /** Runs an action. Sent once: what it does outside cannot be undone or recognised. */
  action<Reference extends PublicReference<"action">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: CallOptions]
  ): Promise<ResultOf<Reference>>;
  action(reference: PublicReference, args?: unknown, options?: CallOptions): Promise<unknown> {
    return this.#call(reference, args, options);
  }

  /** The query's shared view: one for equal path, arguments and shard. Subscribes while somebody listens. */
  liveQuery<Reference extends PublicReference<"query">>(
    reference: Reference,
    ...[args]: CallArguments<Reference>
  ): LiveQuery<ResultOf<Reference>> {
    return this.#live.watched.query(reference, args) as LiveQuery<ResultOf<Reference>>;
  }

  /** Tells each result of a query, optimistic ones included, from now until `unsubscribe`. */
  subscribe<Reference extends PublicReference<"query">>(
    reference: Reference,
    args: ArgumentsOf<Reference>,
    handlers: SubscriptionHandlers<ResultOf<Reference>> | ((data: ResultOf<Reference>) => void),
  ): Subscription<ResultOf<Reference>> {
    const both = typeof handlers === "function" ? { onData: handlers } : handlers;
    const subscription = this.#live.watched.subscribe(reference, args, both as SubscriptionHandlers<never>);
    return subscription as Subscription<ResultOf<Reference>>;
  }

  /** The shape's shared view. Subscribes while somebody listens. */
  shape<Reference extends ShapeReference>(
    reference: Reference,
    ...rest: [...ShapeArguments<Reference>, options?: ShapeOptions<RowOf<Reference>>]
  ): LiveShape<RowOf<Reference>>;
  shape(reference: ShapeReference, args?: unknown, options?: ShapeOptions<never>): LiveShape {
    const { shapes, watched } = this.#live;
    if (!shapes) throw new CodedError("NOT_IMPLEMENTED", 501, "The client has no `shapes`");
    return shapes.shape(watched, reference, args, options);
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
    this.#live.layers.mutators.set(reference.path, apply as MutatorApply<never>);
    this.#live.transact(this.#live.activate);
  }

  /** The optimistic update of every call of a mutation that brings none, also of those that an earlier page left. */
  registerOptimistic<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    update: OptimisticUpdate<ArgumentsOf<Reference>>,
  ): void {
    this.#live.layers.updates.set(reference.path, update as OptimisticUpdate<never>);
    this.#live.transact(this.#live.activate);
  }

  /** One shard, by its object's name. */
  connectionStatusOf(shard: string): ConnectionStatus {
    return this.#live.statusOf(shard);
  }

  /** Tells how each queued mutation ended, those of earlier pages included. */
  onMutationSettled(listener: (settled: SettledMutation) => void): () => void {
    return this.#live.mutations.onSettled(listener);
  }

  /** Closes sockets and timers; what is queued stays in storage. The client is of no use afterwards. */
  close(): void {
    this.#live.end();
  }

  /** What the extension made for this client: made when it is first asked for. */
  extension<Part>(extension: Extension<Part>): Part {
    if (!this.#parts.has(extension)) this.#parts.set(extension, extension(this.#live));
    return this.#parts.get(extension) as Part;
  }

  async #call(
    { path: functionPath }: PublicReference,
    args: unknown = {},
    { shardKey, signal }: CallOptions = {},
    headers?: Record<string, string>,
  ): Promise<unknown> {
    // A shard key that is `undefined` does not travel.
    const body = { functionPath, args: encodeValue(args), shardKey };
    return resultOf(await this.#live.http.post(RPC_PATH, body, signal, headers));
  }
}
