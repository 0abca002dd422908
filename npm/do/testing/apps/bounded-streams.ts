// An app whose durable streams keep little, and go on for nobody only shortly.
import { createShardRegistryObject, streams } from "@lunora/do";
import type { ShardRegistryObjectClass } from "@lunora/do";
import { defineApp, defineSchema, initLunora, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";

import type { Loose } from "../loose.ts";
import { functionsOf, observedShard, observedWorker } from "../observed-app.ts";
import { BOUNDS } from "../stream-bounds.ts";

const { query } = initLunora.dataModel<Loose>().create();

/** What generators have done, in this object. */
const seen: Record<string, Loose> = {};

const handlers = {
  /** As many chunks of a length as are asked for; then it waits for ever if it is to. */
  kept: query
    .input({
      name: v.string(),
      chunks: v.number(),
      length: v.optional(v.number()),
      waits: v.optional(v.boolean()),
    })
    .stream(
      async function* ({ args, signal }: Loose): AsyncGenerator<Loose> {
        seen[args.name] = "running";
        signal.addEventListener("abort", () => (seen[args.name] = "aborted"));
        for (let index = 0; index < args.chunks; index += 1) yield "x".repeat(args.length ?? 10);
        if (args.waits === true) await new Promise(() => {});
      },
      { durable: true },
    ),
};

const definition: LunoraDefinition = {
  schema: defineSchema({}),
  functions: functionsOf("streams", handlers, {}),
  app: defineApp({ streams: BOUNDS }),
  streams,
};

export class ShardDO extends observedShard(definition) {
  async seen(name: string): Promise<unknown> {
    return seen[name] ?? null;
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

export default observedWorker(definition);
