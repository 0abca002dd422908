import { DurableObject } from "cloudflare:workers";
import { LunoraError } from "@lunora/errors";
import { encodeFailure } from "@lunora/protocol";
import { BINDINGS, reachObject, REGISTRY_OBJECT } from "@lunora/runtime";
import type { RegistryMethods, ShardAnswer, ShardCall, ShardMethods } from "@lunora/runtime";
import type { Environment, LunoraDefinition } from "@lunora/server";

import { readMeta } from "./engine/meta.ts";
import { Schema } from "./engine/schema.ts";
import { ShardEngine } from "./engine/shard-engine.ts";
import type { EngineOptions, ShardHost } from "./engine/shard-engine.ts";
import type { SqlStorage } from "./engine/sql.ts";

export interface ShardOptions extends EngineOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/**
 * A shard, seen from the Worker. Written without the platform's types, so that an app needs none to
 * be checked.
 */
export interface ShardObject extends ShardMethods {
  alarm(): Promise<void>;
}

/** The platform makes the objects; its `DurableObjectState` and the bindings are what it hands in. */
export type ShardObjectClass = new (context: never, env: never) => ShardObject;

/** The platform's storage, as the engine asks for it. */
function hostOf(
  context: DurableObjectState,
  env: Environment,
  definition: LunoraDefinition,
  options: ShardOptions,
): ShardHost {
  const { storage } = context;
  return {
    sql: storage.sql as unknown as SqlStorage,
    env,
    now: options.now ?? Date.now,
    transactionSync: (run) => storage.transactionSync(run),
    async exclusiveTransaction<Result>(run: () => Promise<Result>): Promise<Result> {
      // An error that leaves `blockConcurrencyWhile` resets the object, so it is carried out as a value.
      const outcome = await context.blockConcurrencyWhile(async (): Promise<{ value: Result } | { error: unknown }> => {
        try {
          return { value: await storage.transaction(run) };
        } catch (error) {
          return { error };
        }
      });
      if ("error" in outcome) throw outcome.error;
      return outcome.value;
    },
    getAlarm: () => storage.getAlarm(),
    setAlarm: (time) => storage.setAlarm(time),
    register: (name) =>
      reachObject<RegistryMethods>(definition.schema, env, BINDINGS.registry, REGISTRY_OBJECT).register(name),
  };
}

/** The class of the objects that hold an app's shards. */
export function createShardObject(definition: LunoraDefinition, options: ShardOptions = {}): ShardObjectClass {
  const schema = new Schema(definition.schema);

  class ShardDO extends DurableObject<Environment> implements ShardMethods {
    #engine: Promise<ShardEngine> | undefined;

    constructor(context: DurableObjectState, env: Environment) {
      super(context, env);
      const name = context.id.name ?? this.#storedName();
      // Calls wait for this; a schema that is refused is told to each caller and resets nothing.
      if (name !== undefined)
        void context.blockConcurrencyWhile(() =>
          this.#open(name).then(
            () => {},
            () => {},
          ),
        );
    }

    #storedName(): string | undefined {
      const sql = this.ctx.storage.sql as unknown as SqlStorage;
      const hasMeta = sql.exec("SELECT 1 FROM sqlite_master WHERE name = '__lunora_meta'").toArray().length > 0;
      return hasMeta ? readMeta(sql, "name") : undefined;
    }

    #open(name: string): Promise<ShardEngine> {
      this.#engine ??= ShardEngine.open(
        definition,
        schema,
        hostOf(this.ctx, this.env, definition, options),
        name,
        options,
      ).catch((error: unknown) => {
        // A schema that is refused stays refused; whatever else went wrong may be over at the next call.
        if (!(error instanceof LunoraError)) this.#engine = undefined;
        throw error;
      });
      return this.#engine;
    }

    async call(call: ShardCall): Promise<ShardAnswer> {
      let engine: ShardEngine;
      try {
        engine = await this.#open(call.object);
      } catch (error) {
        if (!(error instanceof LunoraError)) console.error("[lunora] the shard cannot be opened", error);
        return { ok: false, ...encodeFailure(error) };
      }
      return engine.call(call);
    }

    async batch(calls: readonly ShardCall[]): Promise<ShardAnswer[]> {
      const answers: ShardAnswer[] = [];
      for (const call of calls) answers.push(await this.call(call));
      return answers;
    }

    override async alarm(): Promise<void> {
      const name = this.ctx.id.name ?? this.#storedName();
      if (name === undefined) return;
      const engine = await this.#open(name);
      await engine.ring();
    }
  }

  return ShardDO as unknown as ShardObjectClass;
}
