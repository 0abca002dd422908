import { LunoraError } from "@lunora/errors";

import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { AdminBody } from "./admin-body.ts";
import { AdminObjects, VISITS } from "./admin-objects.ts";
import { assertTables } from "./schema-info.ts";

/** How long a shard keeps what an exporter that does not ask any more would need, milliseconds. */
const LEASE = 10 * 60 * 1000;

/** Characters of lines in one answer, unless asked for fewer. */
const PAGE_LENGTH = 4_000_000;

/** Rows and the sum of their hashes, of each table. */
type Proofs = Readonly<Record<string, { readonly rows: number; readonly hash: string }>>;

/** What a shard answers: see `ExportPage` of `@lunora/do`. */
interface ShardPage {
  readonly lines: string;
  readonly position: object | null;
  readonly tables: Proofs;
  readonly hidden: readonly string[];
}

/** Where an export stands: behind which shard, and where in the next. */
interface Cursor {
  readonly after: string | null;
  readonly shard: string | null;
  readonly position: object | null;
}

function readCursor(text: string | null): Cursor {
  if (text === null) return { after: null, shard: null, position: null };
  try {
    return JSON.parse(text) as Cursor;
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "`cursor` is not one of an export", { cause: error });
  }
}

/**
 * Some lines of a dump: `{id, tables, cursor, length?, isPaused?}`. The last line is `{kind: "page", cursor, parts, hidden}`:
 * where to go on (`null` at the end), and what each run of lines of one shard added to each table.
 */
export async function exportPage(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const body = await AdminBody.read(request);
  const id = body.text("id");
  const tables = body.texts("tables");
  assertTables(definition.schema, tables);
  const length = body.number("length", PAGE_LENGTH, 1, 2 * PAGE_LENGTH);
  const isPaused = body.flag("isPaused");
  const objects = new AdminObjects(scope);
  let { after, shard, position } = readCursor(body.cursor());
  let lines = "";
  let visits = 0;
  let names: string[] = [];
  const parts: { shard: string; tables: Proofs }[] = [];
  const hidden = new Set<string>();
  let isEnd = false;
  while (lines.length < length && visits < VISITS) {
    if (shard === null) {
      if (names.length === 0) names = [...(await objects.names(after)).names];
      shard = names.shift() ?? null;
      if (shard === null) {
        isEnd = true;
        break;
      }
    }
    const page: ShardPage = await objects.shard(shard, "exportPage", {
      id,
      tables,
      position,
      bytes: length - lines.length,
      lease: LEASE,
      isPaused,
    });
    visits += 1;
    lines += page.lines;
    parts.push({ shard, tables: page.tables });
    for (const name of page.hidden) hidden.add(name);
    position = page.position;
    if (position === null) {
      after = shard;
      shard = null;
    }
  }
  const cursor = isEnd ? null : JSON.stringify({ after, shard, position } satisfies Cursor);
  const last = JSON.stringify({ kind: "page", cursor, parts, hidden: [...hidden] });
  const response = jsonResponse(request, env, 200, null, { "content-type": "application/x-ndjson" });
  return new Response(`${lines}${last}\n`, response);
}

/** Refuses writes everywhere: `{id, seconds, cursor}`. Repeated with the same id it goes on for longer. */
export async function pauseWrites(scope: RouteScope): Promise<Response> {
  const body = await AdminBody.read(scope.request);
  const id = body.text("id");
  const until = scope.now() + body.number("seconds", 600, 1, 3_600) * 1_000;
  const objects = new AdminObjects(scope);
  const after = body.cursor();
  // First the registry, so that no shard begins to exist behind the page that names it.
  if (after === null) await objects.registry("pause", { id, until });
  const { names, cursor } = await objects.names(after);
  await objects.each(names, "pause", { id, until });
  return jsonResponse(scope.request, scope.env, 200, { cursor, until });
}

/** Lets go of everything that an export holds: `{id, cursor}`. */
export async function endExport(scope: RouteScope): Promise<Response> {
  const body = await AdminBody.read(scope.request);
  const id = body.text("id");
  const objects = new AdminObjects(scope);
  const { names, cursor } = await objects.names(body.cursor());
  await objects.each(names, "exportEnd", { id });
  if (cursor === null) await objects.registry("resume", { id });
  return jsonResponse(scope.request, scope.env, 200, { cursor });
}
