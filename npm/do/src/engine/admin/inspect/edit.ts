import { fromErrorBody, LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import { definePolicy, rls } from "@lunora/server";
import type { FunctionRegistryEntry, HandlerOptions, RegisteredFunction, StoredMiddleware } from "@lunora/server";
import { v } from "@lunora/values";

import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf, text } from "../arguments.ts";
import { mutate } from "./own-mutation.ts";
import { choice, optionalText } from "./questions.ts";

/** What an edit is called where calls are told. No function of an app can have the name. */
const PATH = "__lunora_admin:edit";

const OPERATIONS = ["insert", "patch", "replace", "delete"] as const;
const POLICY_OPERATIONS = ["read", "insert", "update", "delete"] as const;

/** An edited row. */
export interface EditedRow {
  /** Where the edit's last change stands in the op-log; `null` when it changed nothing. */
  readonly seq: number | null;
  /** Wire-encoded, as it is now; `null` when it is gone. */
  readonly row: unknown;
}

async function apply({ ctx, args }: HandlerOptions): Promise<unknown> {
  const { op, table, id, document } = args;
  let edited: unknown = id;
  if (op === "insert") edited = await ctx.db.insert(table, document);
  else if (op === "delete") await ctx.db.delete(table, id);
  else await ctx.db[op](table, id, document);
  return ctx.db.get(table, edited);
}

/** The mutation that edits, for an app whose schema may ask for policies: an admin is under none. */
function mutationFor(tables: Iterable<string>): FunctionRegistryEntry {
  const policies = Array.from(tables, (table) =>
    POLICY_OPERATIONS.map((on) => definePolicy({ table, on, when: () => true })),
  ).flat();
  const registered: RegisteredFunction = {
    kind: "mutation",
    visibility: "internal",
    input: { op: v.string(), table: v.string(), id: v.optional(v.string()), document: v.optional(v.any()) },
    middleware: [rls(policies) as unknown as StoredMiddleware],
    meta: {},
    handler: apply,
  };
  return {
    kind: "mutation",
    visibility: "internal",
    address: { kind: "root" },
    module: async () => ({ edit: registered }),
    exportName: "edit",
  };
}

/**
 * Writes one row by a mutation that goes the way of every other: `{op, table, id?, document?, call?}`. Rejects with what
 * refuses it.
 */
export async function edit({ engine }: ShardAdminHost, argument: unknown): Promise<EditedRow> {
  const fields = fieldsOf(argument);
  const op = choice(fields, "op", OPERATIONS);
  if (op === undefined) throw new LunoraError("BAD_REQUEST", `\`op\` is one of ${OPERATIONS.join(", ")}`);
  const table = text(fields, "table");
  const id = op === "insert" ? undefined : text(fields, "id");
  const { document } = fields;
  const hasDocument = typeof document === "object" && document !== null && !Array.isArray(document);
  if (op !== "delete" && !hasDocument) throw new LunoraError("BAD_REQUEST", "`document` has to be an object");
  const observed = optionalText(fields, "call");
  const { schema } = engine.findHost;
  schema.table(table);
  const outcome = await mutate(engine, mutationFor(schema.tables.keys()), {
    object: engine.name,
    functionPath: PATH,
    args: { op, table, ...(id === undefined ? {} : { id }), ...(op === "delete" ? {} : { document }) },
    identity: null,
    ...(observed === undefined ? {} : { call: observed }),
  });
  if (outcome.ok) return { seq: outcome.written?.toSeq ?? null, row: outcome.result ?? null };
  const { error, status } = outcome;
  throw fromErrorBody(error.data === undefined ? error : { ...error, data: decodeValue(error.data) }, status);
}
