import type { ErrorBody } from "@lunora/errors";
import { encodeValue } from "@lunora/protocol";

import { failureOf } from "../../function-runner.ts";
import type { CatalogShape } from "../../live/shape-catalog.ts";
import type { ShapeGroup } from "../../live/shape-subscription.ts";
import { livesHere } from "../../shard-scope.ts";
import { clauses as clauseList, raw, run, sql } from "../../statement.ts";
import type { SqlStorage } from "../../sql.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf } from "../arguments.ts";
import { countRows } from "./bounded-count.ts";
import { clausesOfShape } from "./clauses.ts";
import { optionalText, wholeNumber } from "./questions.ts";
import { readableSql } from "./readable-sql.ts";
import { tellClauses } from "./why.ts";
import type { ToldClause } from "./why.ts";

/** Most shapes of one answer. */
const PAGE = 200;

/** Tables up to this many rows are gone through to count members. */
const COUNTED = 10_000;

/** Users that are named of those who share a condition. */
const USERS = 20;

/** A shape, and with arguments what its subscribers share. */
export interface ToldShape {
  readonly name: string;
  readonly table: string;
  /** Those that subscribers are sent; absent when the shape cannot be used here. */
  readonly columns?: readonly string[];
  /** Wire-encoded; absent when nobody is subscribed. */
  readonly args?: unknown;
  readonly subscribers: number;
  /** Some of who is subscribed; `null` stands for those who are not signed in. */
  readonly users?: readonly (string | null)[];
  readonly predicate?: readonly ToldClause[];
  readonly sql?: string;
  /** Rows that meet the condition; absent when the table is too long to go through. */
  readonly members?: number;
  /** Why the shape cannot be used here. */
  readonly error?: ErrorBody;
}

/** Shapes of a shard. */
export interface ShapeList {
  readonly shapes: readonly ToldShape[];
  readonly hasMore: boolean;
}

function membersOf(storage: SqlStorage, { membership }: ShapeGroup): { readonly members?: number } {
  const { table, condition } = membership;
  const { fragment } = condition;
  if (fragment === false) return { members: 0 };
  if (countRows(storage, table.quoted, COUNTED).isAtLeast === true) return {};
  const where = fragment === undefined ? undefined : sql`WHERE ${fragment}`;
  const [row] = run(storage, clauseList(raw(`SELECT count(*) AS count FROM ${table.quoted}`, 0), where)).toArray();
  return { members: row?.["count"] as number };
}

function toldGroup(storage: SqlStorage, { name, projection }: CatalogShape, group: ShapeGroup): ToldShape {
  const { membership, parts, subscriptions } = group;
  const [first] = subscriptions;
  const users = new Set(Array.from(subscriptions, ({ connection }) => connection.identity?.userId ?? null));
  return {
    name,
    table: membership.table.name,
    columns: projection.columns,
    args: encodeValue(first?.args ?? {}),
    subscribers: subscriptions.size,
    users: [...users].slice(0, USERS),
    predicate: tellClauses(storage, membership.table, clausesOfShape(membership.table, parts), undefined),
    sql: readableSql(membership.table, membership.condition),
    ...membersOf(storage, group),
  };
}

function byName(groups: Iterable<ShapeGroup>): ReadonlyMap<string, readonly ShapeGroup[]> {
  const named = new Map<string, ShapeGroup[]>();
  for (const group of groups) {
    const [first] = group.subscriptions;
    if (first === undefined) continue;
    const own = named.get(first.shape.name);
    if (own === undefined) named.set(first.shape.name, [group]);
    else own.push(group);
  }
  return named;
}

/** The shapes over tables of this shard, and who is subscribed to them: `{name?, limit?}`. */
export function shapeList({ engine }: ShardAdminHost, argument: unknown): Promise<ShapeList> {
  const fields = fieldsOf(argument);
  const limit = wholeNumber(fields, "limit", PAGE, 1, PAGE);
  const only = optionalText(fields, "name");
  return engine.exclusively(async () => {
    const { insides, findHost } = engine;
    const { schema, scope, storage } = findHost;
    const declared = Object.entries(insides.definition.shapes ?? {}).filter(([name, { table }]) => {
      const known = schema.tables.get(table);
      if (known === undefined || (only !== undefined && name !== only)) return false;
      // Shapes over global tables belong to the root, which has copies of their rows.
      return livesHere(scope, known) || (known.isGlobal && scope.field === null);
    });
    const groups = byName(insides.shapes.groups);
    const shapes: ToldShape[] = [];
    for (const [name, { table }] of declared) {
      if (shapes.length > limit) break;
      try {
        const shape = await insides.shapes.find(name);
        const own = groups.get(name) ?? [];
        if (own.length === 0) shapes.push({ name, table, columns: shape.projection.columns, subscribers: 0 });
        for (const group of own.slice(0, limit + 1 - shapes.length)) shapes.push(toldGroup(storage, shape, group));
      } catch (error) {
        // One that cannot be used keeps nobody from seeing the others.
        shapes.push({ name, table, subscribers: 0, error: failureOf(`shapes:${name}`, error).error });
      }
    }
    return { shapes: shapes.slice(0, limit), hasMore: shapes.length > limit };
  });
}
