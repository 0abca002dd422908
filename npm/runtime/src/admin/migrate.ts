import { isLunoraError, LunoraError } from "@lunora/errors";
import type { LunoraDefinition, MigrationRegistryEntry } from "@lunora/server";
import { ROOT_OBJECT } from "@lunora/protocol";

import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import type { RegistryPage } from "../shard-protocol.ts";
import { AdminBody } from "./admin-body.ts";
import { AdminObjects } from "./admin-objects.ts";

/** How long a run goes on in one request before it answers where it is, milliseconds. */
const REQUEST_TIME = 2_000;

/** How long a run that nobody goes on with keeps others out, milliseconds. */
const LEASE = 20_000;

/** Failures that are told in one answer; the others are counted. */
const FAILURES = 20;

/** Why a shard, or a row of it, stopped a migration. */
interface ShardFailure {
  readonly shard: string;
  readonly code: string;
  readonly message: string;
  /** The row; absent when the shard itself refused. */
  readonly id?: string;
  /** The row's, epoch milliseconds. */
  readonly creationTime?: number;
}

type RowFailure = Omit<ShardFailure, "shard">;

/** What a shard answers: see `MigrationStep` of `@lunora/do`. */
interface ShardStep {
  readonly isDone: boolean;
  readonly rows: number;
  readonly changed: number;
  readonly position: object;
  readonly failure: RowFailure | null;
}

/** See `ShardMigrationStatus` of `@lunora/do`. */
interface ShardStatus {
  readonly progress: "pending" | "partial" | "applied" | "failed";
  readonly failure: RowFailure | null;
}

/** Where a run stands: behind which shard, and in a rehearsal where in the next. */
interface Cursor {
  readonly after: string | null;
  readonly position?: object;
}

function readCursor(text: string | null): Cursor {
  if (text === null) return { after: null };
  try {
    return JSON.parse(text) as Cursor;
  } catch (error) {
    throw new LunoraError("BAD_REQUEST", "`cursor` is not one of a migration", { cause: error });
  }
}

function findMigration({ migrations, schema }: LunoraDefinition, id: string): MigrationRegistryEntry {
  const entry = migrations !== undefined && Object.hasOwn(migrations, id) ? migrations[id] : undefined;
  if (entry === undefined) throw new LunoraError("MIGRATION_NOT_FOUND", `there is no migration \`${id}\``);
  const table = Object.hasOwn(schema.tables, entry.table) ? schema.tables[entry.table] : undefined;
  if (table === undefined) throw new LunoraError("UNKNOWN_TABLE", `there is no table \`${entry.table}\``);
  if (table.shardMode.kind === "global") {
    throw new LunoraError(
      "NOT_IMPLEMENTED",
      `\`${entry.table}\` is \`.global()\`: its rows are in D1, and a migration such as \`${id}\` transforms the rows of shards`,
    );
  }
  return entry;
}

/** Shards that can hold rows of the table. */
async function shardsOf(
  objects: AdminObjects,
  { schema }: LunoraDefinition,
  table: string,
  after: string | null,
): Promise<RegistryPage> {
  const mode = schema.tables[table]?.shardMode;
  if (mode?.kind === "shardBy") return objects.names(after, mode.field);
  if (mode?.kind !== "root") return objects.names(after);
  // The name right before the root's, as nothing is between them.
  const { names } = await objects.names(after ?? ROOT_OBJECT.slice(0, -1));
  return { names: names.filter((name) => name === ROOT_OBJECT), cursor: null };
}

/** The shard's own refusal, which keeps no other shard from going on. */
function refusalOf(error: unknown): RowFailure {
  if (!isLunoraError(error)) throw error;
  return { code: error.code, message: error.message };
}

/** What is wrong with the request or the app, and not with one shard. */
const EVERYWHERE = new Set(["BAD_REQUEST", "MIGRATION_NOT_FOUND", "NOT_IMPLEMENTED", "JURISDICTION_UNAVAILABLE"]);

/**
 * Goes on with one migration for a while: `{run, id, direction, cursor, batchSize?, dryRun?}`. Answers what was done and
 * where to go on (`null` at the end); the same request again does nothing twice. One run at a time.
 */
export async function migrate(scope: RouteScope): Promise<Response> {
  const { request, env, definition, now } = scope;
  const body = await AdminBody.read(request);
  const run = body.text("run");
  const id = body.text("id");
  const direction = body.text("direction");
  if (direction !== "up" && direction !== "down") throw new LunoraError("BAD_REQUEST", "`direction` is `up` or `down`");
  const isRehearsal = body.flag("dryRun");
  const batchSize = body.number("batchSize", 0, 0, 1_000);
  const { table, hasDown } = findMigration(definition, id);
  if (direction === "down" && !hasDown)
    throw new LunoraError("MIGRATION_IRREVERSIBLE", `the migration \`${id}\` has no \`down\``);
  const from = readCursor(body.cursor());
  const objects = new AdminObjects(scope);
  if (!isRehearsal) await objects.registry("migrationHold", { run, id, lease: LEASE });
  const begun = now();
  const { names, cursor: more } = await shardsOf(objects, definition, table, from.after);
  const steps = new Map<string, ShardStep>();
  await objects.together(
    names,
    async (name) => {
      const milliseconds = begun + REQUEST_TIME - now();
      if (milliseconds <= 0) return;
      const isResumed = name === names[0] && from.position !== undefined;
      try {
        const step = await objects.shard<ShardStep>(name, "migrate", {
          id,
          direction,
          milliseconds,
          isRehearsal,
          ...(batchSize === 0 ? {} : { batchSize }),
          ...(isResumed ? { position: from.position } : {}),
        });
        steps.set(name, step);
      } catch (error) {
        const failure = refusalOf(error);
        if (EVERYWHERE.has(failure.code)) throw error;
        steps.set(name, { isDone: false, rows: 0, changed: 0, position: {}, failure });
      }
    },
    // What a rehearsal did is remembered by its cursor alone, which has room for one shard.
    isRehearsal ? 1 : undefined,
  );

  let rows = 0;
  let changed = 0;
  for (const step of steps.values()) {
    rows += step.rows;
    changed += step.changed;
  }
  // Shards behind the first that is not through are visited again, and answer at once.
  const failures: ShardFailure[] = [];
  let after = from.after;
  let shards = 0;
  let position: object | undefined;
  for (const name of names) {
    const step = steps.get(name);
    if (step === undefined) break;
    if (!step.isDone && step.failure === null) {
      if (isRehearsal) ({ position } = step);
      break;
    }
    if (step.failure !== null) failures.push({ shard: name, ...step.failure });
    after = name;
    shards += 1;
  }
  const isEnd = shards === names.length && more === null;
  const next: Cursor = { after, ...(position === undefined ? {} : { position }) };
  return jsonResponse(request, env, 200, {
    cursor: isEnd ? null : JSON.stringify(next),
    shards,
    rows,
    changed,
    failed: failures.length,
    failures: failures.slice(0, FAILURES),
  });
}

/** Lets the next run begin: `{run}`. */
export async function endMigration(scope: RouteScope): Promise<Response> {
  const body = await AdminBody.read(scope.request);
  await new AdminObjects(scope).registry("migrationRelease", { run: body.text("run") });
  return jsonResponse(scope.request, scope.env, 200, {});
}

/**
 * How far migrations have come in a page of shards: `{cursor}`. The sum of the pages is that of the app. The first page
 * names all migrations, in their order.
 */
export async function migrationStatus(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const body = await AdminBody.read(request);
  const cursor = body.cursor();
  // An object lists keys that look like numbers first; ids are plain text.
  const registry = Object.entries(definition.migrations ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const objects = new AdminObjects(scope);
  const page: RegistryPage = registry.length === 0 ? { names: [], cursor: null } : await objects.names(cursor);
  const counts: Record<string, Record<ShardStatus["progress"], number>> = Object.fromEntries(
    registry.map(([id]) => [id, { pending: 0, partial: 0, applied: 0, failed: 0 }]),
  );
  const failures: (ShardFailure & { readonly migration: string })[] = [];
  await objects.together(page.names, async (name) => {
    for (const [id, status] of Object.entries(
      await objects.shard<Record<string, ShardStatus>>(name, "migrationStatus", {}),
    )) {
      const count = counts[id];
      if (count === undefined) continue;
      count[status.progress] += 1;
      if (status.failure !== null && failures.length < FAILURES)
        failures.push({ migration: id, shard: name, ...status.failure });
    }
  });
  return jsonResponse(request, env, 200, {
    cursor: page.cursor,
    shards: page.names.length,
    migrations:
      cursor === null
        ? registry.map(([id, { table, hasDown }]) => ({
            id,
            table,
            hasDown,
            isGlobal: definition.schema.tables[table]?.shardMode.kind === "global",
          }))
        : [],
    counts,
    failures,
  });
}
