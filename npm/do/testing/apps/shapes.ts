// An app of random shapes: the test makes the same ones from the same seed.
import { createShardObject, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import { defineApp, defineMutator, defineShape, initLunora, v } from "@lunora/server";
import type { LunoraDefinition, RegisteredFunction } from "@lunora/server";

import type { Loose } from "../loose.ts";
import { Random } from "../random.ts";
import { randomScenario, SCENARIO_SHAPES } from "../shape-scenario.ts";
import { doStep } from "../steps.ts";

// Put in when the app is bundled.
declare const SCENARIO_SEED: number;

const { query, mutation } = initLunora.dataModel<Loose>().create();
const steps = { steps: v.array(v.any()) };

async function run({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
  return results;
}

const handlers: Record<string, RegisteredFunction> = {
  write: mutation.input(steps).mutation(run) as RegisteredFunction,
  read: query.input(steps).query(run) as RegisteredFunction,
  /** The same on both sides. */
  join: defineMutator({
    args: { user: v.string(), text: v.string() },
    apply: (ctx, args) => ctx.db.insert("members", args),
  }) as RegisteredFunction,
};

const module = async (): Promise<Record<string, unknown>> => handlers;
const scenario = randomScenario(new Random(SCENARIO_SEED), SCENARIO_SHAPES).definition;

/** A shape of every row. */
const more: Record<string, unknown> = { everything: defineShape({ table: "first" }) };

const definition: LunoraDefinition = {
  ...scenario,
  shapes: {
    ...scenario.shapes,
    everything: { table: "first", address: { kind: "root" }, module: async () => more, exportName: "everything" },
  },
  shaping,
  functions: Object.fromEntries(
    Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
      exportName === "join" ? "mutators:join" : `shapes:${exportName}`,
      { kind, visibility, address: { kind: "root" }, module, exportName },
    ]),
  ),
  app: defineApp({ resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }) }),
};

const ShardBase = createShardObject(definition, { mutationDeadline: 29_000 }) as unknown as new (
  context: never,
  env: never,
) => ShardObject & { readonly ctx: Loose };

let constructions = 0;

export class ShardDO extends ShardBase {
  readonly construction = (constructions += 1);

  /** How many objects of this class the process has made. */
  async constructed(): Promise<number> {
    return constructions;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== "/test") return worker.fetch(request, env, context);
    const { method } = (await request.json()) as { method: string };
    return Response.json(await env.SHARD.getByName("__root__")[method]());
  },
};
