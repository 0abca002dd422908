// Functions of apps whose tests say step by step what is written.
import { initLunora, v } from "@lunora/server";

import type { Loose } from "./loose.ts";

const { query, mutation } = initLunora.dataModel<Loose>().create();

/** What a step `[method, table, …]` does that is not a method of the table. */
export type StepMethods = Readonly<Record<string, (ctx: Loose, table: string, ...rest: Loose[]) => Promise<Loose>>>;

const METHODS: StepMethods = { insert: async (ctx, table, document) => ctx.db.insert(table, document) };

/** Runs steps one after the other and lists them, at the root and, with a `room`, in the room's shard. */
export function stepFunctions(own: StepMethods): Readonly<Record<string, Loose>> {
  const methods: StepMethods = { ...METHODS, ...own };
  const run = async ({ ctx, args }: Loose): Promise<Loose[]> => {
    const results: Loose[] = [];
    for (const [method, table, ...rest] of args.steps) {
      const result = await (methods[method]?.(ctx, table, ...rest) ?? ctx.db[table][method](...rest));
      if (result !== undefined) results.push(result);
    }
    return results;
  };
  const list = async ({ ctx, args }: Loose): Promise<Loose> => ctx.db.query(args.table).collect();
  return {
    write: mutation.input({ steps: v.array(v.any()) }).mutation(run),
    writeRoom: mutation.input({ room: v.string(), steps: v.array(v.any()) }).mutation(run),
    list: query.input({ table: v.string() }).query(list),
    listRoom: query.input({ room: v.string(), table: v.string() }).query(list),
  };
}
