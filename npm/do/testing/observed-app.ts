// What the apps share whose objects a test looks into.
import { createShardObject } from "@lunora/do";
import type { ShardObject, ShardOptions } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import type { Route } from "@lunora/runtime";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import type { Loose } from "./loose.ts";

/** A shard's object with the fields that the platform's own has, and with methods for tests. */
export interface ObservedShard extends ShardObject {
  readonly ctx: Loose;
  /** Rows of a statement, for looking behind the store. */
  sql(text: string): Promise<unknown>;
  /** How many objects of this class the process has made. */
  constructed(): Promise<number>;
  /** Rings the alarm as soon as it can. */
  ringNow(): Promise<null>;
}

/** The registry of an app whose functions are one object, as the files' names would give it. */
export function functionsOf(
  file: string,
  handlers: Readonly<Record<string, Loose>>,
  addresses: Readonly<Record<string, Loose>>,
): FunctionRegistry {
  const module = async (): Promise<Record<string, unknown>> => handlers;
  return Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      `${file}:${exportName}`,
      { kind, visibility, address: addresses[exportName] ?? { kind: "root" }, module, exportName },
    ]),
  );
}

/** The class of an app's shards, for the app to extend. */
export function observedShard(
  definition: LunoraDefinition,
  options: ShardOptions = {},
): new (context: never, env: never) => ObservedShard {
  const Base = createShardObject(definition, options) as unknown as new (
    context: never,
    env: never,
  ) => ShardObject & { readonly ctx: Loose };
  let constructions = 0;
  return class extends Base implements ObservedShard {
    constructor(context: never, env: never) {
      super(context, env);
      constructions += 1;
    }

    async sql(text: string): Promise<unknown> {
      return this.ctx.storage.sql.exec(text).toArray();
    }

    async constructed(): Promise<number> {
      return constructions;
    }

    async ringNow(): Promise<null> {
      await this.ctx.storage.setAlarm(Date.now());
      return null;
    }
  };
}

/** The app's worker, which calls methods of an object at `/test`. */
export function observedWorker(
  definition: LunoraDefinition,
  routes: readonly Route[] = [],
): {
  fetch(request: Request, env: Loose, context: Loose): Promise<Response>;
} {
  const worker = createWorker(definition, { routes });
  return {
    async fetch(request, env, context) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname !== "/test") return worker.fetch(request, env, context);
      const stub = env.SHARD.getByName(searchParams.get("object") ?? "__root__");
      const { method, argument } = (await request.json()) as { method: string; argument: unknown };
      return Response.json(await stub[method](argument));
    },
  };
}
