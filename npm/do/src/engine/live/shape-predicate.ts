import { LunoraError } from "@lunora/errors";
import { loggerOf } from "@lunora/runtime";
import { effectiveReadWhere, withoutNull } from "@lunora/server";
import type { Identity, PolicyCondition } from "@lunora/server";

import type { FindHost } from "../find.ts";
import { isTextEquality, testsOfWhere } from "../field-test.ts";
import { Footprint } from "../footprint.ts";
import { RowAccess } from "../row-access.ts";
import { Session } from "../session.ts";
import type { SessionFacts } from "../session.ts";
import { combine, raw } from "../statement.ts";
import type { Table } from "../table.ts";
import type { DatabaseFactory } from "../triggers.ts";
import { compileWhere } from "../where.ts";
import type { Condition } from "./membership.ts";
import type { CatalogShape } from "./shape-catalog.ts";
import { within } from "./within.ts";

/** What making a condition needs of the shard. */
export interface PredicateHost {
  readonly find: FindHost;
  readonly createDatabase: DatabaseFactory;
  readonly now: () => number;
  /** How long a `where` may take, milliseconds: nothing else of the shard runs meanwhile. */
  readonly deadline: number;
}

/** The parts of a condition: what it says is all of them together. */
export interface ConditionParts {
  /** What the shape's own `where` answered; `undefined` without one. */
  readonly own: unknown;
  /** What the policies leave. */
  readonly allowed: PolicyCondition;
}

/** A condition, and what it was made from. */
export interface Predicate {
  readonly condition: Condition;
  readonly parts: ConditionParts;
  readonly footprint: Footprint;
}

/** Which rows of the shape the caller gets: its `where` and the policies of its `use`, asked anew. */
export async function askPredicate(
  { find, createDatabase, now, deadline }: PredicateHost,
  shape: CatalogShape,
  args: object,
  identity: Identity | null,
): Promise<Predicate> {
  const { name, registered, table, rules } = shape;
  const footprint = new Footprint();
  const caller = (): Identity | null => {
    footprint.noteIdentity();
    return identity;
  };
  const facts: SessionFacts = {
    // Global tables are out of its reach: a condition is asked again when rows change, and nobody says when those do.
    host: { ...find, scope: { ...find.scope, hasGlobals: false } },
    auth: { userId: identity?.userId ?? null, identity },
    footprint,
    now: now(),
    nextCreationTime: now,
  };
  const session = new Session(facts);
  const db = createDatabase(session, RowAccess.ofSystem(session, createDatabase));
  const auth = {
    get userId() {
      return caller()?.userId ?? null;
    },
    getIdentity: async () => caller(),
  };
  const ask = async (): Promise<Omit<Predicate, "footprint">> => {
    const answer: unknown = await registered.where?.({ auth, db, log: loggerOf(`shapes:${name}`) }, args);
    const own = registered.where === undefined ? undefined : checked(name, answer);
    const allowed = await effectiveReadWhere(rules, table.name, { identity: caller, db });
    await session.settle();
    return { condition: compile(table, own, allowed), parts: { own, allowed } };
  };
  try {
    const late = (): LunoraError => {
      session.abort();
      return new LunoraError("QUERY_TIMEOUT", `\`where\` of shape \`${name}\` did not settle within ${deadline} ms`);
    };
    return { ...(await within(ask(), deadline, late)), footprint };
  } catch (error) {
    throw asJoinOfShards(shape, error) ?? error;
  }
}

function compile(table: Table, own: unknown, allowed: PolicyCondition): Condition {
  if (allowed === false) return { fragment: false, tests: [] };
  const live = table.liveCondition;
  const parts = [compileWhere(table, own), compileWhere(table, allowed), live === undefined ? undefined : raw(live, 2)];
  const present = parts.filter((part) => part !== undefined);
  return {
    fragment: present.length === 0 ? undefined : combine(present, "AND"),
    tests: [...testsOfWhere(table, own), ...testsOfWhere(table, allowed)],
    isTold: live === undefined && isTextEquality(table, own) && isTextEquality(table, allowed),
  };
}

/**
 * The condition, in which nothing is equal to `null`. `undefined` in it is a missing claim or argument, and
 * more likely a mistake than a shape without rows.
 */
function checked(name: string, answer: unknown): Readonly<Record<string, unknown>> {
  if (typeof answer === "object" && answer !== null && !Array.isArray(answer) && !hasHole(answer))
    return withoutNull(answer as Readonly<Record<string, unknown>>);
  throw new LunoraError(
    "SHAPE_INVALID",
    answer === undefined || answer === null
      ? `\`where\` of shape \`${name}\` answered nothing: answer \`{}\` for every row`
      : `\`where\` of shape \`${name}\` answered a condition with \`undefined\` in it, which holds for no row: leave the column out, or say \`{ isNull: true }\``,
  );
}

function hasHole(value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value)) return value.some(hasHole);
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).some(hasHole);
}

/** A `where` that reads a table of other shards, or of none: no position of one log says when both have changed. */
function asJoinOfShards({ name, table }: CatalogShape, error: unknown): LunoraError | undefined {
  if (!(error instanceof LunoraError) || (error.code !== "SHARD_MISMATCH" && error.code !== "NOT_IMPLEMENTED"))
    return undefined;
  const other = (error.data as { readonly table?: unknown } | undefined)?.table;
  if (typeof other !== "string") return undefined;
  if (error.code === "NOT_IMPLEMENTED")
    return new LunoraError(
      "SHAPE_READS_GLOBAL",
      `\`where\` of shape \`${name}\` reads \`${other}\`, which is \`.global()\`: nobody would make the condition again when its rows in D1 change. Copy what the condition needs into rows of \`${table.name}\``,
      { data: { shape: name, table: other }, cause: error },
    );
  return new LunoraError(
    "SHAPE_JOINS_SHARDS",
    `\`where\` of shape \`${name}\`, which is over \`${table.name}\`, reads \`${other}\`, which lives in other shards: there is no moment at which both can be compared. Copy what the condition needs into rows of this shard`,
    { data: { shape: name, tables: [table.name, other] }, cause: error },
  );
}
