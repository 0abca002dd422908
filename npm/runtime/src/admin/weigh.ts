import { LunoraError } from "@lunora/errors";

import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { AdminBody } from "./admin-body.ts";
import { AdminObjects, VISITS } from "./admin-objects.ts";

/** Rows that are weighed in one request, more or less. */
const ROWS = 1_000_000;

/** Rows that a shard weighs in one call. */
const SHARD_ROWS = 200_000;

interface Weight {
  readonly rows: number;
  readonly bytes: number;
}

interface ShardPage {
  readonly tables: Readonly<Record<string, Weight>>;
  readonly bytes: number | null;
  readonly position: Position | null;
}

interface Position {
  readonly table: string;
  readonly after: string;
}

interface Cursor {
  readonly after: string | null;
  readonly shard: string | null;
  readonly position: Position | null;
}

/** What the shards of a page hold. A table counts a shard in which it has rows. */
class Totals {
  readonly tables: Record<string, Weight & { shards: number }> = {};
  shards = 0;
  bytes = 0;

  add({ tables, bytes }: ShardPage, from: Position | null): void {
    if (bytes !== null) {
      this.shards += 1;
      this.bytes += bytes;
    }
    for (const [name, weight] of Object.entries(tables)) {
      const known = this.tables[name] ?? { rows: 0, bytes: 0, shards: 0 };
      const isFirst = from === null || from.table !== name || from.after === "";
      this.tables[name] = {
        rows: known.rows + weight.rows,
        bytes: known.bytes + weight.bytes,
        shards: known.shards + (isFirst && weight.rows > 0 ? 1 : 0),
      };
    }
  }
}

/**
 * Where rows are: `{cursor, rows}`, about how many to look at. Answers what the next shards hold, `{jurisdiction, tables, shards, bytes, cursor}`; what a
 * server says in all its answers adds up. Every one of these rows is in the jurisdiction, by the one function that
 * reaches objects.
 */
export async function weigh(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const body = await AdminBody.read(request);
  const limit = body.number("rows", ROWS, 1, ROWS);
  const text = body.cursor();
  let { after, shard, position }: Cursor = { after: null, shard: null, position: null };
  try {
    if (text !== null) ({ after, shard, position } = JSON.parse(text) as Cursor);
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "`cursor` is not one of a weighing", { cause: error });
  }
  const objects = new AdminObjects(scope);
  const totals = new Totals();
  let names: string[] = [];
  let cursor: string | null = null;
  for (let visits = 0, rows = 0; ; visits += 1) {
    if (shard === null) {
      if (names.length === 0) names = [...(await objects.names(after)).names];
      shard = names.shift() ?? null;
      if (shard === null) break;
    }
    if (visits >= VISITS || rows >= limit) {
      cursor = JSON.stringify({ after, shard, position } satisfies Cursor);
      break;
    }
    const page: ShardPage = await objects.shard(shard, "weigh", {
      position,
      rows: Math.min(limit, SHARD_ROWS),
    });
    totals.add(page, position);
    position = page.position;
    for (const weight of Object.values(page.tables)) rows += weight.rows;
    if (position === null) {
      after = shard;
      shard = null;
    }
  }
  const { tables, shards, bytes } = totals;
  return jsonResponse(request, env, 200, {
    jurisdiction: definition.schema.pinnedJurisdiction ?? null,
    tables,
    shards,
    bytes,
    cursor,
  });
}
