import { isLunoraError, LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue, HEADERS, ID_RANDOM_BYTES, MAX_BATCH_CALLS, mintId, PATHS } from "@lunora/protocol";
import type { BatchRequest, CallArguments, ResultOf, RpcRequest } from "@lunora/protocol";

import type { BatchEntry, BatchResults, PendingCall, PublicReference, Settled } from "./batch.ts";
import { hostEnvironment } from "./environment.ts";
import type { ClientEnvironment } from "./environment.ts";
import { DEFAULT_RETRY, isTransient, retryDelay } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import { failureOf, isObject, post } from "./transport.ts";
import type { PostAnswer } from "./transport.ts";

/** A bearer token, or what gets one anew for each request; `null` for nobody. */
export type AuthToken = string | null | (() => string | null | Promise<string | null>);

/** Options of the client. */
export interface LunoraClientOptions {
  /** Origin of the Worker, for example `https://app.example.com`; empty for that of the page. */
  readonly url: string;
  readonly token?: AuthToken;
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
export interface MutationOptions extends CallOptions {
  /**
   * Names the mutation: calls with the same id have one effect, within 24 hours. Minted unless
   * given; give one to repeat a mutation whose outcome is not known.
   */
  readonly mutationId?: string;
}

/** Arguments and options of a call whose reference is not known yet. */
type OpenCall<Options> = readonly [args?: unknown, options?: Options];

/** Calls queries, mutations and actions over HTTP. */
export class LunoraClient {
  readonly #url: string;
  readonly #environment: ClientEnvironment;
  readonly #retry: RetryPolicy;
  #token: AuthToken;

  constructor(options: LunoraClientOptions) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#environment = {
      ...hostEnvironment,
      ...options.environment,
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    };
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#token = options.token ?? null;
  }

  /** Used from the next request on. */
  setAuthToken(token: AuthToken): void {
    this.#token = token;
  }

  /** Runs a query once. Repeated while the server is away, within bounds. */
  query<Reference extends PublicReference<"query">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: CallOptions]
  ): Promise<ResultOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<CallOptions>;
    return this.#repeat(() => this.#call(reference, args, {}, options), options?.signal);
  }

  /** Runs a mutation. Repeated while the server is away; its id keeps the effect at one. */
  mutation<Reference extends PublicReference<"mutation">>(
    reference: Reference,
    ...rest: [...CallArguments<Reference>, options?: MutationOptions]
  ): Promise<ResultOf<Reference>> {
    const [args, options] = rest as readonly unknown[] as OpenCall<MutationOptions>;
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

  #mintMutationId(): string {
    return mintId(this.#environment.randomBytes(ID_RANDOM_BYTES));
  }

  async #headers(): Promise<Record<string, string>> {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
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
