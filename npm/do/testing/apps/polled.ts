// An app of random shapes over tables in D1; the test makes the same ones from the same seed.
import { createShardObject, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardObject, ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import type { D1Binding } from "../../src/engine/globals/d1-binding.ts";
import { globals } from "../../src/engine/globals/globals.ts";
import type { Loose } from "../loose.ts";
import { Random } from "../random.ts";
import { inD1, randomScenario, SCENARIO_SHAPES } from "../shape-scenario.ts";
import { doStep } from "../steps.ts";

// Put in when the app is bundled.
declare const SCENARIO_SEED: number;

const { query, mutation } = initLunora.dataModel<Loose>().create();
const steps = { steps: v.array(v.any()) };
const room = { room: v.string() };

async function run({ ctx, args }: Loose): Promise<unknown> {
  const results: unknown[] = [];
  for (const step of args.steps) results.push(await doStep(ctx.db, step, results));
  return results;
}

const handlers = {
  write: mutation.input(steps).mutation(run),
  writeRoom: mutation.input({ ...steps, ...room }).mutation(run),
  read: query.input(steps).query(run),
  count: query.query(({ ctx }: Loose) => ctx.db.first.count()),
};

const module = async (): Promise<Record<string, unknown>> => handlers;

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([exportName, { kind, visibility }]) => [
    `polled:${exportName}`,
    {
      kind,
      visibility,
      address: exportName.endsWith("Room") ? { kind: "argument", argument: "room", field: "room" } : { kind: "root" },
      module,
      exportName,
    } as const,
  ]),
);

const scenario = inD1(randomScenario(new Random(SCENARIO_SEED), SCENARIO_SHAPES).definition);
const { tables: rooms } = defineSchema({ rooms: defineTable({ room: v.string() }).shardBy("room") });

const definition: LunoraDefinition = {
  ...scenario,
  schema: { ...scenario.schema, tables: { ...scenario.schema.tables, ...rooms } },
  functions,
  shaping,
  globals,
  app: defineApp({
    authorizeShard: () => true,
    globalPoll: 150,
    resolveIdentity: ({ token }) => (token === undefined ? null : { userId: token }),
  }),
};

/** Whether the root is cut off from the database. */
let isDown = false;

const ShardBase = createShardObject(definition) as unknown as new (context: never, env: never) => ShardObject;

class CutShard extends ShardBase {
  constructor(context: never, env: never) {
    const { DB, ...others } = env as { readonly DB: D1Binding };
    const { id } = context as { readonly id: { readonly name?: string } };
    const cut: Pick<D1Binding, "withSession"> = {
      withSession: (constraint) => {
        if (isDown && id.name === "__root__") throw new Error("D1_ERROR: Network connection lost.");
        return DB.withSession(constraint);
      },
    };
    super(context, { ...others, DB: cut } as never);
  }
}

export const ShardDO: ShardObjectClass = CutShard as unknown as ShardObjectClass;

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    if (new URL(request.url).pathname !== "/test") return worker.fetch(request, env, context);
    isDown = ((await request.json()) as { argument: boolean }).argument;
    return Response.json(null);
  },
};
