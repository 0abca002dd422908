import { globals } from "../src/engine/globals/globals.ts";
import type { LunoraDefinition } from "@lunora/server";

/** Put in place by the bundler; missing in most bundles. */
declare const ALL_GLOBAL: boolean | undefined;

/** Whether the tables of the root are to be `.global()`, so that tests of the store run over D1 as well. */
const isGlobal = typeof ALL_GLOBAL === "boolean" && ALL_GLOBAL;

/** The app as it is or, in a bundle with `ALL_GLOBAL`, with all tables of the root in D1. There rows do not expire. */
export function asGlobal<Definition extends LunoraDefinition>(definition: Definition): Definition {
  if (!isGlobal) return definition;
  const tables = Object.entries(definition.schema.tables).map(([name, table]) => {
    if (table.shardMode.kind !== "root") return [name, table];
    const { columns, indexes, relations, triggers, softDelete, isPublic } = table;
    const kept = { columns, indexes, relations, triggers, isPublic, ...(softDelete && { softDelete }) };
    return [name, { ...kept, shardMode: { kind: "global" } }];
  });
  return { ...definition, globals, schema: { ...definition.schema, tables: Object.fromEntries(tables) } };
}
