import { LunoraError } from "@lunora/errors";

import { readText } from "../read-json.ts";
import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { AdminBody } from "./admin-body.ts";
import { AdminObjects, VISITS } from "./admin-objects.ts";
import { assertShardName, splitSections } from "./import-sections.ts";
import { assertTables } from "./schema-info.ts";

/** An import that nobody goes on with for so long has been given up, milliseconds. */
const LEASE = 60 * 60 * 1000;

/** Longest body with rows, bytes. */
const ROWS_BYTES = 16 * 1024 * 1024;

/** Media type of rows on their way in. */
const ROWS_TYPE = "application/x-ndjson";

/** The one record of an import: see `ImportRecord` of `@lunora/do`. */
interface ImportRecord {
  readonly id: string;
  readonly state: "open" | "committed" | "aborted";
  readonly mode: "empty" | "merge" | "replace";
  readonly tables: readonly string[];
}

interface ParticipantPage {
  readonly names: readonly string[];
  readonly cursor: string | null;
}

/**
 * Begins an import, or finds out how one stands: `{id, mode, tables, cursor}`. Every shard that is there takes part, since
 * rows of the tables may be in any; only a merge leaves alone what it does not touch.
 */
export async function beginImport(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const body = await AdminBody.read(request);
  const tables = body.texts("tables");
  assertTables(definition.schema, tables);
  const objects = new AdminObjects(scope);
  const record: ImportRecord = await objects.registry("importBegin", {
    id: body.text("id"),
    mode: body.text("mode"),
    tables,
    lease: LEASE,
  });
  if (record.state !== "open" || record.mode === "merge")
    return jsonResponse(request, env, 200, { state: record.state, cursor: null });
  const { names, cursor } = await objects.names(body.cursor());
  await join(objects, record.id, names);
  await objects.each(names, "importBegin", record);
  return jsonResponse(request, env, 200, { state: record.state, cursor });
}

/** The registry has to know who takes part before anything is kept there. */
async function join(objects: AdminObjects, id: string, names: readonly string[]): Promise<ImportRecord> {
  return objects.registry("importJoin", { id, names, lease: LEASE });
}

/**
 * Stages rows: `?id=`, and as body lines `<number> <line of the dump>`, those of a shard behind the line that names it.
 * The same lines again change nothing.
 */
export async function importRows(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const id = new URL(request.url).searchParams.get("id") ?? "";
  if (id === "") throw new LunoraError("BAD_REQUEST", "`?id=` has to name the import");
  const sections = splitSections(await readText(request, ROWS_TYPE, ROWS_BYTES));
  if (sections.length > VISITS) throw new LunoraError("BAD_REQUEST", `a request has rows of at most ${VISITS} shards`);
  const objects = new AdminObjects(scope);
  const names = sections.map(({ shard }) => shard);
  for (const name of names) assertShardName(definition.schema, name);
  const record = await join(objects, id, names);
  let rows = 0;
  for (const { shard, lines } of sections) {
    await objects.shard(shard, "importBegin", record);
    if (lines === "") continue;
    rows += (await objects.shard<{ rows: number }>(shard, "importRows", { id, lines })).rows;
  }
  return jsonResponse(request, env, 200, { rows });
}

/** Lets each shard try what a commit will do: `{id, cursor}`. */
export async function prepareImport(scope: RouteScope): Promise<Response> {
  return page(scope, async (objects, id, names) => {
    await objects.each(names, "importPrepare", { id });
    await objects.registry("importPrepared", { id, names, lease: LEASE });
  });
}

/** From here on the rows count: `{id}`. */
export async function commitImport(scope: RouteScope): Promise<Response> {
  const body = await AdminBody.read(scope.request);
  await new AdminObjects(scope).registry("importCommit", { id: body.text("id") });
  return jsonResponse(scope.request, scope.env, 200, { state: "committed" });
}

/** Moves the rows of committed imports into their tables now, not at the first access: `{id, cursor}`. */
export async function finishImport(scope: RouteScope): Promise<Response> {
  return page(scope, async (objects, id, names) => {
    await objects.each(names, "importFinish", { id });
    await objects.registry("importFinished", { id, names });
  });
}

/** Gives an import up, and leaves nothing of it: `{id, cursor}`. */
export async function abortImport(scope: RouteScope): Promise<Response> {
  return page(scope, async (objects, id, names) => {
    await objects.registry("importAbort", { id });
    await objects.each(names, "importAbort", { id });
  });
}

async function page(
  scope: RouteScope,
  visit: (objects: AdminObjects, id: string, names: readonly string[]) => Promise<void>,
): Promise<Response> {
  const body = await AdminBody.read(scope.request);
  const id = body.text("id");
  const objects = new AdminObjects(scope);
  const { names, cursor }: ParticipantPage = await objects.registry("importShards", { id, cursor: body.cursor() });
  await visit(objects, id, names);
  return jsonResponse(scope.request, scope.env, 200, { cursor });
}
