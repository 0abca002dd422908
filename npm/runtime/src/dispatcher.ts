import { fromErrorBody, LunoraError } from "@lunora/errors";
import { decodeValue, encodeValue, resolveAddress } from "@lunora/protocol";
import type { FunctionKind, FunctionReference, Target } from "@lunora/protocol";
import { findFunction, invoke, isRegisteredFunction, NO_SCHEDULER } from "@lunora/server";
import type { Environment, FunctionRegistryEntry, Identity, LunoraDefinition } from "@lunora/server";

import { authorizeFanOut, authorizeShard } from "./authorize.ts";
import { callObject } from "./call-object.ts";
import type { Timers } from "./call-object.ts";
import { countCrossing } from "./crossings.ts";
import type { CheckedCall } from "./envelope-check.ts";
import type { fanOut, FanOutLimits } from "./fan-out.ts";
import { loggerOf } from "./logger.ts";
import type { RequestTrace } from "./observed-request.ts";
import { observer } from "./observer.ts";
import { reachObject } from "./reach-object.ts";
import { failureOf } from "./responses.ts";
import { BINDINGS, REGISTRY_OBJECT } from "./shard-protocol.ts";
import type { RegistryMethods, ShardAnswer, ShardCall, ShardMethods } from "./shard-protocol.ts";

/** Deepest chain of actions that call actions. */
const ACTION_DEPTH = 16;

export interface DispatcherOptions {
  readonly now: () => number;
  readonly timers: Timers;
  readonly fanOut: FanOutLimits;
}

/** On whose behalf a call is made. */
export interface Caller {
  readonly identity: Identity | null;
  /** Made by a function, not by somebody outside: may reach internal functions and any shard. */
  readonly isTrusted: boolean;
  /** How many actions are around the call. */
  readonly depth: number;
  /** The call is this job of the scheduler. */
  readonly jobId?: string;
  /** Path of the URL that it came by; absent when a function or the scheduler calls, and when nobody listens. */
  readonly path?: string;
  /** What the observer calls that on whose behalf it is made: it is a part of it. */
  readonly partOf?: string | undefined;
  /** Of this one call. */
  readonly trace?: RequestTrace;
}

/** A call whose place is known and allowed. */
type Prepared =
  | { readonly kind: "object"; readonly name: string; readonly call: ShardCall; readonly isRepeatable: boolean }
  | { readonly kind: "alone"; readonly run: () => Promise<ShardAnswer> };

/** Finds where calls go and takes them there. One for each request. */
export class Dispatcher {
  readonly #definition: LunoraDefinition;
  readonly #env: Environment;
  readonly #options: DispatcherOptions;

  constructor(definition: LunoraDefinition, env: Environment, options: DispatcherOptions) {
    this.#definition = definition;
    this.#env = env;
    this.#options = options;
  }

  /** Answers one call. Never throws. */
  async call(call: CheckedCall, caller: Caller): Promise<ShardAnswer> {
    const trace = this.#trace(caller);
    if (trace === undefined) return this.#call(call, caller);
    const answer = await this.#call(call, { ...caller, trace });
    this.#tell(trace, call, caller, answer);
    return answer;
  }

  #trace({ path, partOf }: Caller): RequestTrace | undefined {
    const listening = path === undefined ? undefined : observer();
    if (listening === undefined || path === undefined) return undefined;
    return { observer: listening, call: partOf ?? listening.nextId(), path, since: this.#options.now() };
  }

  #tell(trace: RequestTrace, { functionPath }: CheckedCall, { identity }: Caller, answer: ShardAnswer): void {
    trace.observer.requested(
      trace,
      this.#definition.schema,
      this.#env,
      functionPath,
      identity,
      answer,
      this.#options.now(),
    );
  }

  async #call(call: CheckedCall, caller: Caller): Promise<ShardAnswer> {
    return this.#answer(call.functionPath, async () => {
      const prepared = await this.#prepare(call, caller);
      if (prepared.kind === "alone") return prepared.run();
      return callObject(
        () => this.#shard(prepared.name),
        (shard) => shard.call(prepared.call),
        prepared.isRepeatable,
        this.#options.timers,
      );
    });
  }

  /**
   * Answers many. Calls of one shard travel together and keep their order; shards do not wait for
   * each other, and neither do actions and fan-outs.
   */
  async batch(calls: readonly CheckedCall[], caller: Caller): Promise<ShardAnswer[]> {
    const answers: ShardAnswer[] = [];
    const traces = calls.map(() => this.#trace(caller));
    const prepared = await Promise.all(
      calls.map(async (call, index): Promise<Prepared | undefined> => {
        const trace = traces[index];
        try {
          return await this.#prepare(call, trace === undefined ? caller : { ...caller, trace });
        } catch (error) {
          answers[index] = { ok: false, ...failureOf(error, call.functionPath) };
          return undefined;
        }
      }),
    );
    const shards = new Map<string, number[]>();
    const alone: number[] = [];
    prepared.forEach((item, index) => {
      if (item === undefined) return;
      if (item.kind === "alone") alone.push(index);
      else shards.set(item.name, [...(shards.get(item.name) ?? []), index]);
    });
    const groups = [...shards].map(async ([name, indexes]) => {
      const items = indexes.map((index) => prepared[index] as Extract<Prepared, { kind: "object" }>);
      const isRepeatable = items.every((item) => item.isRepeatable);
      try {
        const results = await callObject(
          () => this.#shard(name),
          (shard) => shard.batch(items.map(({ call }) => call)),
          isRepeatable,
          this.#options.timers,
        );
        indexes.forEach((index, place) => (answers[index] = results[place] as ShardAnswer));
      } catch (error) {
        for (const index of indexes) answers[index] = { ok: false, ...failureOf(error, name) };
      }
    });
    const single = inTurns(alone, this.#options.fanOut.concurrency, async (index) => {
      const { run } = prepared[index] as Extract<Prepared, { kind: "alone" }>;
      answers[index] = await this.#answer((calls[index] as CheckedCall).functionPath, run);
    });
    await Promise.all([...groups, single]);
    traces.forEach((trace, index) => {
      if (trace !== undefined) this.#tell(trace, calls[index] as CheckedCall, caller, answers[index] as ShardAnswer);
    });
    return answers;
  }

  async #answer(functionPath: string, run: () => Promise<ShardAnswer>): Promise<ShardAnswer> {
    try {
      return await run();
    } catch (error) {
      return { ok: false, ...failureOf(error, functionPath) };
    }
  }

  /** Internal functions do not exist for callers from outside: same code, same text. */
  #entry(functionPath: string, isTrusted: boolean): FunctionRegistryEntry {
    const { functions } = this.#definition;
    const entry = findFunction(functions, functionPath);
    if (entry === undefined || (entry.visibility === "internal" && !isTrusted)) {
      throw new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${functionPath}\``);
    }
    return entry;
  }

  async #prepare(call: CheckedCall, caller: Caller): Promise<Prepared> {
    const { functionPath, shardKey } = call;
    const entry = this.#entry(functionPath, caller.isTrusted);
    if (entry.kind === "stream")
      throw new LunoraError("BAD_REQUEST", `\`${functionPath}\` is a stream, which is subscribed to over a socket`);
    const args = decodeValue(call.args) as Record<string, unknown>;
    const target = resolveAddress(entry.address, args, shardKey);
    if (entry.kind === "action") return { kind: "alone", run: () => this.#runAction(call, entry, args, caller) };
    switch (target.kind) {
      case "object":
        return this.#prepareObject(call, caller, entry, target);
      case "fanOut":
        if (!caller.isTrusted) await authorizeFanOut(this.#definition.app, this.#env, caller.identity, functionPath);
        return { kind: "alone", run: () => this.#fanOut(call, caller, target) };
      case "worker":
        throw new Error(`\`${functionPath}\` is a ${entry.kind}, but its address is the Worker: run codegen again`);
    }
  }

  async #prepareObject(
    call: CheckedCall,
    caller: Caller,
    entry: FunctionRegistryEntry,
    { name, field, value }: Extract<Target, { kind: "object" }>,
  ): Promise<Prepared> {
    const { functionPath } = call;
    if (!caller.isTrusted)
      await authorizeShard(this.#definition.app, this.#env, caller.identity, { field, value, name }, functionPath);
    if (caller.trace !== undefined) caller.trace.object = name;
    // A query has no effect that could happen twice.
    const mutationId = entry.kind === "mutation" ? call.mutationId : undefined;
    return {
      kind: "object",
      name,
      call: this.#shardCall(name, call, caller, mutationId),
      isRepeatable:
        entry.kind === "query" ||
        mutationId !== undefined ||
        (call.clientId !== undefined && call.clientSeq !== undefined),
    };
  }

  #shardCall(
    object: string,
    { functionPath, args, clientId, clientSeq }: CheckedCall,
    { identity, jobId, trace }: Caller,
    mutationId: string | undefined,
  ): ShardCall {
    const parent = trace === undefined ? observer()?.current()?.call : undefined;
    return {
      object,
      functionPath,
      args,
      identity: encodeValue(identity),
      ...(mutationId === undefined ? {} : { mutationId }),
      ...(jobId === undefined ? {} : { jobId }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(clientSeq === undefined ? {} : { clientSeq }),
      ...(trace === undefined ? {} : { call: trace.call }),
      ...(parent === undefined ? {} : { parent }),
    };
  }

  #shard(name: string): ShardMethods {
    return reachObject<ShardMethods>(this.#definition.schema, this.#env, BINDINGS.shard, name);
  }

  #registry(): RegistryMethods {
    return reachObject<RegistryMethods>(this.#definition.schema, this.#env, BINDINGS.registry, REGISTRY_OBJECT);
  }

  /** Whether objects can be reached; throws coded errors when not. */
  async probe(): Promise<void> {
    this.#shard("__lunora_probe__");
    await callObject(
      () => this.#registry(),
      (registry) => registry.list({ limit: 1 }),
      true,
      this.#options.timers,
    );
  }

  async #fanOut(
    call: CheckedCall,
    caller: Caller,
    { field, merge }: Extract<Target, { kind: "fanOut" }>,
  ): Promise<ShardAnswer> {
    const askAll = this.#definition.fanOut as typeof fanOut | undefined;
    if (askAll === undefined) {
      throw new Error(`\`${call.functionPath}\` asks all shards, but the worker has no \`fanOut\`: run codegen again`);
    }
    const { timers } = this.#options;
    const result = await askAll(merge, this.#options.fanOut, {
      timers,
      list: (cursor) =>
        callObject(
          () => this.#registry(),
          (registry) => registry.list({ field, cursor }),
          true,
          timers,
        ),
      call: (name) => {
        if (caller.trace !== undefined) caller.trace.objects = (caller.trace.objects ?? 0) + 1;
        return callObject(
          () => this.#shard(name),
          (shard) => shard.call(this.#shardCall(name, call, caller, undefined)),
          true,
          timers,
        );
      },
    });
    return { ok: true, body: { result: encodeValue(result) } };
  }

  async #runAction(
    { functionPath, args: wireArgs }: CheckedCall,
    entry: FunctionRegistryEntry,
    args: unknown,
    caller: Caller,
  ): Promise<ShardAnswer> {
    if (caller.depth > ACTION_DEPTH) {
      throw new LunoraError("RUN_DEPTH_EXCEEDED", `actions call each other more than ${ACTION_DEPTH} levels deep`);
    }
    const registered = (await entry.module())[entry.exportName];
    if (!isRegisteredFunction(registered) || registered.kind !== "action") {
      throw new Error(`\`${functionPath}\` is not the action that the generated registry says: run codegen again`);
    }
    countCrossing(this.#definition.schema, this.#env, "action", functionPath);
    const run = async (): Promise<unknown> =>
      invoke(registered, { ctx: this.#actionContext(functionPath, caller), args });
    const listening = observer();
    const answer = await (listening === undefined
      ? run()
      : listening.action(
          listening,
          caller.trace?.call ?? listening.nextId(),
          functionPath,
          wireArgs,
          caller.identity,
          this.#options.now,
          run,
        ));
    const result = encodeValue(answer);
    return { ok: true, body: result === undefined ? {} : { result } };
  }

  #actionContext(functionPath: string, caller: Caller): object {
    const { identity } = caller;
    const run = (kind: FunctionKind) => (reference: FunctionReference, args?: unknown) =>
      this.#runReference(kind, reference, args, caller);
    return {
      auth: { userId: identity?.userId ?? null, getIdentity: async () => identity },
      now: this.#options.now(),
      log: loggerOf(functionPath),
      env: this.#env,
      runQuery: run("query"),
      runMutation: run("mutation"),
      runAction: run("action"),
      fetch: (input: RequestInfo, init?: RequestInit) => fetch(input, init),
      scheduler: this.#definition.scheduling?.ofAction(this.#definition, this.#env, this.#options.now) ?? NO_SCHEDULER,
      jobId: caller.jobId,
    };
  }

  /** `ctx.run*` of an action: as the same caller, but from inside. */
  async #runReference(
    kind: FunctionKind,
    reference: FunctionReference,
    args: unknown,
    caller: Caller,
  ): Promise<unknown> {
    const entry = this.#entry(reference.path, true);
    if (entry.kind !== kind)
      throw new LunoraError("BAD_REQUEST", `\`${reference.path}\` is a ${entry.kind}, not a ${kind}`);
    const call: CheckedCall = {
      functionPath: reference.path,
      args: encodeValue(args ?? {}) as Record<string, unknown>,
    };
    const answer = await this.call(call, { identity: caller.identity, isTrusted: true, depth: caller.depth + 1 });
    if (answer.ok) return decodeValue(answer.body.result);
    const { error } = answer.body;
    throw fromErrorBody(error.data === undefined ? error : { ...error, data: decodeValue(error.data) }, answer.status);
  }
}

async function inTurns<Item>(
  items: readonly Item[],
  concurrency: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as Item;
      next += 1;
      await run(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
