import { fromErrorBody, LunoraError } from "@lunora/errors";

import { callObject } from "../call-object.ts";
import { reachObject } from "../reach-object.ts";
import type { RouteScope } from "../route.ts";
import { BINDINGS, REGISTRY_OBJECT } from "../shard-protocol.ts";
import type { AdminAnswer, AdminMethods, RegistryMethods, RegistryPage } from "../shard-protocol.ts";

/** Shards visited in one request: a Worker may not call more objects than the platform allows. */
export const VISITS = 200;

/** Shards asked at the same time. */
const CONCURRENCY = 8;

/** Reaches objects on behalf of an admin. All operations but those of `shardOnce` may be repeated. */
export class AdminObjects {
  readonly #scope: RouteScope;

  constructor(scope: RouteScope) {
    this.#scope = scope;
  }

  /** An operation of a shard. Throws its coded errors. */
  async shard<Answer>(object: string, operation: string, argument: unknown): Promise<Answer> {
    return this.#ask(BINDINGS.shard, object, operation, argument, true);
  }

  /** The same for an operation that would do twice what it does: when its answer is lost nobody asks again. */
  async shardOnce<Answer>(object: string, operation: string, argument: unknown): Promise<Answer> {
    return this.#ask(BINDINGS.shard, object, operation, argument, false);
  }

  /** An operation of the registry. Throws its coded errors. */
  async registry<Answer>(operation: string, argument: unknown): Promise<Answer> {
    return this.#ask(BINDINGS.registry, REGISTRY_OBJECT, operation, argument, true);
  }

  /** When a shard became known, epoch milliseconds; `null` for one that never was, which this does not make. */
  async registeredAt(object: string): Promise<number | null> {
    const { definition, env, timers } = this.#scope;
    return callObject(
      () => reachObject<RegistryMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT),
      (registry) => registry.registeredAt(object),
      true,
      timers,
    );
  }

  /** Names of shards behind the cursor; only shards of the field when one is given. */
  async names(cursor: string | null, field?: string): Promise<RegistryPage> {
    const { definition, env, timers } = this.#scope;
    return callObject(
      () => reachObject<RegistryMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT),
      (registry) => registry.list({ cursor, limit: VISITS, ...(field === undefined ? {} : { field }) }),
      true,
      timers,
    );
  }

  /** Asks each of the shards. The first error ends it. */
  async each(names: readonly string[], operation: string, argument: unknown): Promise<void> {
    await this.together(names, async (name) => {
      await this.shard(name, operation, argument);
    });
  }

  /** Visits each of the shards, some at a time, begun in their order. The first error ends it. */
  async together(
    names: readonly string[],
    visit: (name: string) => Promise<void>,
    atATime: number = CONCURRENCY,
  ): Promise<void> {
    const waiting = [...names];
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await visit(name);
    };
    await Promise.all(Array.from({ length: Math.min(atATime, names.length) }, work));
  }

  async #ask<Answer>(
    binding: string,
    object: string,
    operation: string,
    argument: unknown,
    isRepeatable: boolean,
  ): Promise<Answer> {
    const { definition, env, timers } = this.#scope;
    if (definition.admin === undefined) {
      throw new LunoraError("NOT_IMPLEMENTED", "the worker's definition has no `admin`: run codegen again");
    }
    const answer: AdminAnswer = await callObject(
      () => reachObject<AdminMethods>(definition.schema, env, binding, object),
      (stub) => stub.admin({ object, operation, argument }),
      isRepeatable,
      timers,
    );
    if (answer.ok) return answer.value as Answer;
    throw fromErrorBody(answer.body.error, answer.status);
  }
}
