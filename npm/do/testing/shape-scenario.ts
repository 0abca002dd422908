import { decodeValue } from "@lunora/protocol";
import { defineSchema, defineShape, defineTable, rls, v } from "@lunora/server";
import type { LunoraDefinition, RegisteredShape } from "@lunora/server";

import type { Loose } from "./loose.ts";
import type { Random } from "./random.ts";
import { POOLS } from "./row-oracle.ts";

/** Everything that a condition on a column can say. */
export const OPERATORS = ["eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull", "contains"] as const;
export type Operator = (typeof OPERATORS)[number];

/** Each pair of operators, once, as `a b`. */
export const OPERATOR_PAIRS: readonly string[] = OPERATORS.flatMap((first, index) =>
  OPERATORS.slice(index).map((second) => `${first} ${second}`),
);

const VALIDATORS: Record<string, () => Loose> = {
  text: () => v.string(),
  number: () => v.number(),
  flag: () => v.boolean(),
  big: () => v.bigint(),
  bin: () => v.bytes(),
  mixed: () => v.union(v.string(), v.number(), v.bigint(), v.boolean(), v.bytes()),
  tags: () => v.array(v.string()),
};

const TAGS = ["a", "b", "", "\u{1f600}"];

/** Text that some SQLite in tests cannot be given: a NUL ends it there. */
const isUsable = (value: unknown): boolean => typeof value !== "string" || !value.includes("\u0000");

/** A value of a column, by the first word of its name. */
export function randomValue(random: Random, column: string): unknown {
  const kind = column.split("_")[0] as string;
  if (kind === "tags") return TAGS.filter(() => random.chance(0.4));
  return random.pick((POOLS[kind] as readonly unknown[]).filter(isUsable));
}

/** Shapes of the scenario that runs in workerd. */
export const SCENARIO_SHAPES = 20;

/** A table: its columns, and whether rows are marked as deleted. */
export interface ScenarioTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isSoftDeleted: boolean;
}

/** The users of a scenario; `null` is nobody. */
export const USERS = [null, "u1", "u2", "u3"] as const;

/** What a condition can be made from besides a row: who is in which group. */
export interface Membership {
  readonly user: string;
  readonly text: string;
}

/** The texts of a user's groups. */
export type Groups = (user: string | null) => string[];

/** A shape, and what it means worked out without the store. */
export interface ScenarioShape {
  readonly name: string;
  readonly table: ScenarioTable;
  readonly args: Record<string, unknown>;
  /** All when absent. */
  readonly columns: readonly string[] | undefined;
  /** Which rows a caller gets: a condition, all or none. */
  readonly meaning: (groups: Groups, user: string | null) => Loose;
  /** The two operators, sorted as in {@link OPERATOR_PAIRS}, when they decide who is a member. */
  readonly pair: string | undefined;
}

export interface Scenario {
  readonly definition: LunoraDefinition;
  readonly tables: readonly ScenarioTable[];
  readonly shapes: readonly ScenarioShape[];
}

function randomTable(random: Random, name: string): ScenarioTable {
  const extra = Object.keys(VALIDATORS).flatMap((kind) =>
    Array.from({ length: random.below(3) }, (_, index) => `${kind}_${index}`),
  );
  // Every operator needs a column that it can be about.
  return { name, columns: ["text", "number", "tags", ...extra], isSoftDeleted: random.chance(0.4) };
}

function schemaOf(random: Random, tables: readonly ScenarioTable[]): Loose {
  const built: Record<string, Loose> = {
    members: defineTable({ user: v.string(), text: v.string() }).index("by_user", ["user"]),
  };
  for (const { name, columns, isSoftDeleted } of tables) {
    const validators = Object.fromEntries(
      columns.map((column) => [column, v.optional((VALIDATORS[column.split("_")[0] as string] as () => Loose)())]),
    );
    let table: Loose = defineTable({ ...validators, ...(isSoftDeleted ? { deletedAt: v.optional(v.number()) } : {}) });
    if (isSoftDeleted) table = table.softDelete();
    for (let index = 0; index < random.below(4); index += 1) {
      const [first, second] = [random.pick(columns), random.pick(columns)];
      if (first !== second) table = table.index(`by_${index}`, [first, second]);
    }
    built[name] = table;
  }
  return defineSchema(built);
}

function operandOf(random: Random, column: string, operator: Operator): unknown {
  switch (operator) {
    case "isNull":
      return random.chance(0.5);
    case "contains":
      return column.startsWith("tags") ? random.pick(TAGS) : randomValue(random, column);
    case "in":
    case "notIn":
      return Array.from({ length: random.below(4) }, () => (random.chance(0.2) ? null : randomValue(random, column)));
    case "eq":
    case "ne":
      return random.chance(0.15) ? null : randomValue(random, column);
    default:
      return randomValue(random, column);
  }
}

function columnFor(random: Random, table: ScenarioTable, operator: Operator): string {
  const fits = (column: string): boolean =>
    operator === "contains"
      ? column.startsWith("text") || column.startsWith("tags")
      : operator === "isNull" || !column.startsWith("tags");
  return random.pick(table.columns.filter(fits));
}

function test(random: Random, table: ScenarioTable, operator: Operator): Loose {
  const column = columnFor(random, table, operator);
  const operand = operandOf(random, column, operator);
  const isBare = operator === "eq" && operand !== null && random.chance(0.5);
  return { [column]: isBare ? operand : { [operator]: operand } };
}

/** A condition with both operators in it, in one of the ways in which conditions are joined. */
function randomCondition(random: Random, table: ScenarioTable, [first, second]: readonly [Operator, Operator]): Loose {
  const [one, other] = [test(random, table, first), test(random, table, second)];
  const joined = random.pick([
    { AND: [one, other] },
    { OR: [one, other] },
    { OR: [{ NOT: one }, other] },
    { AND: [one, { NOT: other }] },
    { NOT: { AND: [one, other] } },
    { OR: [{ AND: [one, other] }, { NOT: { OR: [one, other] } }] },
    Object.keys(one)[0] === Object.keys(other)[0] ? { AND: [one, other] } : { ...one, ...other },
  ]);
  return random.chance(0.2) ? { AND: [joined, {}] } : joined;
}

/** A shape as it is declared, and what that means. */
interface Made extends Pick<ScenarioShape, "args" | "meaning"> {
  /** The condition is there and decides nothing. */
  readonly isOverruled?: true;
  readonly input?: Loose;
  readonly where?: (ctx: Loose, args: Loose) => Loose;
  readonly use?: Loose;
}

/** What a shape asks besides its condition, and how. */
function randomKind(random: Random, table: ScenarioTable, condition: Loose): Made {
  const policy = (when: (options: Loose) => unknown): Loose => [rls([{ table: table.name, on: "read", when }])];
  const read = async (db: Loose, user: string | null): Promise<string[]> =>
    (await db.members.findMany({ where: { user } })).map((member: Loose) => member.text);
  const column = random.pick(table.columns.filter((candidate) => !candidate.startsWith("tags")));
  const operand = randomValue(random, column);
  const where = (): Loose => condition;
  return random.pick<Made>([
    { where, args: {}, meaning: where },
    { where, args: {}, meaning: where },
    {
      input: { operand: v.any() },
      args: { operand },
      where: (_ctx, args) => ({ [column]: { eq: args.operand }, OR: [condition, {}] }),
      meaning: () => ({ [column]: operand }),
      isOverruled: true,
    },
    {
      input: { operand: v.any() },
      args: { operand },
      where: (_ctx, args) => ({ OR: [{ [column]: args.operand }, condition] }),
      meaning: () => ({ OR: [{ [column]: operand }, condition] }),
    },
    // The same for all callers, and another one when members change.
    {
      args: {},
      where: async ({ db }) => ({ OR: [condition, { text: { in: await read(db, "u1") } }] }),
      meaning: (groups) => ({ OR: [condition, { text: { in: groups("u1") } }] }),
    },
    {
      where,
      args: {},
      use: policy(async ({ ctx }) => ((await read(ctx.db, "u1")).length > 1 ? { NOT: condition } : true)),
      meaning: (groups) => (groups("u1").length > 1 ? false : condition),
    },
    // The caller's own groups.
    {
      where,
      args: {},
      use: policy(async ({ ctx, auth }) => ({ text: { notIn: await read(ctx.db, auth.userId) } })),
      meaning: (groups, user) => ({ AND: [condition, { text: { notIn: groups(user) } }] }),
    },
    {
      args: {},
      where: async ({ db, auth }) => {
        const texts = await read(db, (await auth.getIdentity())?.userId ?? null);
        return texts.length === 0 ? condition : { text: { in: texts } };
      },
      meaning: (groups, user) => (groups(user).length === 0 ? condition : { text: { in: groups(user) } }),
    },
    {
      where,
      args: {},
      use: policy(({ auth }) => auth.userId !== "u2"),
      meaning: (_, user) => user !== "u2" && condition,
    },
  ]);
}

/** A schema, and `count` shapes over it; the first ones have every pair of operators between them. */
export function randomScenario(random: Random, count: number): Scenario {
  const tables = [randomTable(random, "first"), randomTable(random, "second")];
  const registered: Record<string, RegisteredShape> = {};
  const shapes = Array.from({ length: count }, (_, index): ScenarioShape => {
    const table = random.pick(tables);
    const pair = index < OPERATOR_PAIRS.length ? (OPERATOR_PAIRS[index] as string) : random.pick(OPERATOR_PAIRS);
    const condition = randomCondition(random, table, pair.split(" ") as [Operator, Operator]);
    const made = randomKind(random, table, condition);
    const columns = random.chance(0.3) ? table.columns.filter(() => random.chance(0.5)) : [];
    const name = `shape${index}`;
    registered[name] = defineShape({
      table: table.name,
      ...(made.input === undefined ? {} : { args: made.input }),
      ...(made.where === undefined ? {} : { where: made.where }),
      ...(columns.length === 0 ? {} : { columns: columns as never }),
      ...(made.use === undefined ? {} : { use: made.use }),
    });
    return {
      name,
      table,
      args: made.args,
      columns: columns.length === 0 ? undefined : columns,
      meaning: made.meaning,
      pair: made.isOverruled ? undefined : pair,
    };
  });
  const definition: LunoraDefinition = {
    schema: schemaOf(random, tables),
    functions: {},
    shapes: Object.fromEntries(
      shapes.map(({ name, table }) => [
        name,
        { table: table.name, address: { kind: "root" }, module: async () => registered, exportName: name },
      ]),
    ),
    app: {},
  };
  return { definition, tables, shapes };
}

/** Columns of a row; some are left out. */
export function randomDocument(random: Random, table: ScenarioTable): Record<string, unknown> {
  const document: Record<string, unknown> = {};
  for (const column of table.columns) if (random.chance(0.75)) document[column] = randomValue(random, column);
  return document;
}

/** A view's row as values. */
export function rowOf(text: string): Loose {
  return decodeValue(JSON.parse(text));
}

/** The same app with all tables but that of the members in D1. */
export function inD1(definition: LunoraDefinition): LunoraDefinition {
  const tables = Object.entries(definition.schema.tables).map(([name, table]) => {
    if (name === "members") return [name, table];
    const { columns, indexes, relations, triggers, softDelete, isPublic } = table;
    const kept = { columns, indexes, relations, triggers, isPublic, ...(softDelete && { softDelete }) };
    return [name, { ...kept, shardMode: { kind: "global" } }];
  });
  return { ...definition, schema: { ...definition.schema, tables: Object.fromEntries(tables) } };
}
