// Notes in rooms, with every kind of thing that hooks use. Runs in workerd.
import { createShardObject, createShardRegistryObject, shaping } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { createWorker } from "@lunora/runtime";
import {
  defineApp,
  defineMutator,
  defineSchema,
  defineShape,
  defineTable,
  initLunora,
  paginationOptsValidator,
  v,
} from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition, ShapeRegistry } from "@lunora/server";
import type { Loose } from "../../do/testing/loose.ts";

const { query, mutation, action } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  notes: defineTable({ room: v.string(), place: v.number(), text: v.string() })
    .shardBy("room")
    .index("by_place", ["place"]),
});

const note = { room: v.string(), place: v.number(), text: v.string() };

async function add(ctx: Loose, args: Loose): Promise<unknown> {
  if (args.text === "") throw new LunoraError("TEXT_MISSING", "The note is empty");
  return ctx.db.insert("notes", args);
}

const exports = {
  list: query
    .input({ room: v.string() })
    .query(({ ctx }: Loose) => ctx.db.query("notes").withIndex("by_place").collect()),
  page: query
    .input({
      room: v.string(),
      paginationOpts: paginationOptsValidator,
    })
    .query(({ ctx, args }: Loose) => ctx.db.query("notes").withIndex("by_place").paginate(args.paginationOpts)),
  first: query.input({ room: v.string() }).query(async ({ ctx }: Loose) => {
    const found = await ctx.db.query("notes").first();
    if (found === null) throw new LunoraError("ROOM_EMPTY", "There is nothing in this room");
    return found.text;
  }),
  add: mutation.input(note).mutation(({ ctx, args }: Loose) => add(ctx, args)),
  remove: mutation.input({ id: v.id("notes") }).mutation(({ ctx, args }: Loose) => ctx.db.delete("notes", args.id)),
  shout: action.input({ text: v.string() }).action(async ({ args }: Loose) => args.text.toUpperCase()),
  notesOf: defineShape({ table: "notes", args: { room: v.string() }, where: (_, { room }: Loose) => ({ room }) }),
  addNote: defineMutator({ args: note, apply: () => {}, server: add }),
};

const module = async (): Promise<Record<string, unknown>> => exports;
const byRoom = { kind: "argument", argument: "room", field: "room" } as const;
const byId = { kind: "id", argument: "id", table: "notes", field: "room" } as const;
const of = { visibility: "public", module } as const;

const functions: FunctionRegistry = {
  "notes:list": { ...of, kind: "query", address: byRoom, exportName: "list" },
  "notes:page": { ...of, kind: "query", address: byRoom, exportName: "page" },
  "notes:first": { ...of, kind: "query", address: byRoom, exportName: "first" },
  "notes:add": { ...of, kind: "mutation", address: byRoom, exportName: "add" },
  "notes:remove": { ...of, kind: "mutation", address: byId, exportName: "remove" },
  "notes:shout": { ...of, kind: "action", address: { kind: "worker" }, exportName: "shout" },
  "mutators:addNote": { ...of, kind: "mutation", address: byRoom, exportName: "addNote" },
};

const shapes: ShapeRegistry = {
  notesOf: { table: "notes", address: byRoom, module, exportName: "notesOf" },
};

const definition: LunoraDefinition = {
  schema,
  functions,
  shapes,
  shaping,
  app: defineApp({ authorizeShard: () => true }),
};
export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);
export default createWorker(definition);
