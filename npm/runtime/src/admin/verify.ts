import { LunoraError } from "@lunora/errors";

import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { AdminBody } from "./admin-body.ts";
import { AdminObjects, VISITS } from "./admin-objects.ts";
import { assertTables } from "./schema-info.ts";

/** Characters of rows that are hashed in one request. */
const LENGTH = 32_000_000;

/** Characters of rows that a shard hashes in one call. */
const SHARD_LENGTH = 4_000_000;

type Proofs = Readonly<Record<string, { readonly rows: number; readonly hash: string }>>;

interface Cursor {
  readonly after: string | null;
  readonly shard: string | null;
  readonly position: object | null;
}

/**
 * Counts and hashes rows as they are now: `{tables, cursor}`. Answers `{parts, cursor}`; the proof of a table is the sum
 * of its parts.
 */
export async function verify(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const body = await AdminBody.read(request);
  const tables = body.texts("tables");
  assertTables(definition.schema, tables);
  const objects = new AdminObjects(scope);
  const text = body.cursor();
  let { after, shard, position }: Cursor = { after: null, shard: null, position: null };
  try {
    if (text !== null) ({ after, shard, position } = JSON.parse(text) as Cursor);
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "`cursor` is not one of a verification", { cause: error });
  }
  const parts: Proofs[] = [];
  let names: string[] = [];
  let length = 0;
  for (let visits = 0; visits < VISITS && length < LENGTH; visits += 1) {
    if (shard === null) {
      if (names.length === 0) names = [...(await objects.names(after)).names];
      shard = names.shift() ?? null;
      if (shard === null) return jsonResponse(request, env, 200, { parts, cursor: null });
    }
    const page: { tables: Proofs; position: object | null } = await objects.shard(shard, "hash", {
      tables,
      position,
      bytes: SHARD_LENGTH,
    });
    if (Object.keys(page.tables).length > 0) parts.push(page.tables);
    position = page.position;
    if (position === null) {
      after = shard;
      shard = null;
    } else length += SHARD_LENGTH;
  }
  const cursor = JSON.stringify({ after, shard, position } satisfies Cursor);
  return jsonResponse(request, env, 200, { parts, cursor });
}
