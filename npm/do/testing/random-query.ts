import { POOLS, randomWhere } from "./row-oracle.ts";
import type { Random } from "./random.ts";
import { doStep } from "./steps.ts";
import type { Step, WalkSpec } from "./steps.ts";
import type { Loose } from "./loose.ts";

/** Random reads of the `values` table of the footprint app, by every way there is. */

const INDEXES: Readonly<Record<string, readonly string[]>> = {
  by_creation: [],
  by_text: ["text"],
  by_number: ["number"],
  by_flag: ["flag"],
  by_big: ["big"],
  by_bin: ["bin"],
  by_mixed: ["mixed"],
  by_text_number: ["text", "number"],
  by_code: ["code"],
};
const CODES = Array.from({ length: 40 }, (_, index) => `c${index}`);

export const FIELD_POOLS: Readonly<Record<string, readonly unknown[]>> = { ...POOLS, code: CODES };

const present = (field: string): readonly unknown[] =>
  (FIELD_POOLS[field] as readonly unknown[]).filter((value) => value !== null);

function randomRange(random: Random, index: string): [string, string, unknown][] {
  const range: [string, string, unknown][] = [];
  for (const field of INDEXES[index] as readonly string[]) {
    if (random.chance(0.5)) {
      range.push(["eq", field, random.chance(0.15) ? null : random.pick(present(field))]);
      continue;
    }
    if (random.chance(0.6)) range.push([random.pick(["gt", "gte"]), field, random.pick(present(field))]);
    if (random.chance(0.6)) range.push([random.pick(["lt", "lte"]), field, random.pick(present(field))]);
    break;
  }
  return range;
}

const randomOrder = (random: Random): Loose => {
  const part = (): Loose => ({ [random.pick(Object.keys(FIELD_POOLS))]: random.pick(["asc", "desc"]) });
  return random.pick<() => Loose>([
    () => undefined,
    part,
    () => [part(), part()],
    () => ({ _creationTime: random.pick(["asc", "desc"]) }),
  ])();
};

function randomOptions(random: Random, ids: readonly string[], depth = 0): Loose {
  const options: Loose = {};
  const where = random.below(4);
  if (where < 2) options.where = randomWhere(random);
  else if (where === 2 && ids.length > 0) options.where = { _id: { in: [random.pick(ids), random.pick(ids)] } };
  const orderBy = randomOrder(random);
  if (orderBy !== undefined) options.orderBy = orderBy;
  if (random.chance(0.5)) options.limit = random.below(6);
  if (random.chance(0.2)) options.includeDeleted = true;
  if (depth < 2 && random.chance(0.4)) {
    options.with = {
      [random.pick(["parent", "children"])]: random.chance(0.5) ? true : randomOptions(random, ids, depth + 1),
    };
  }
  return options;
}

function randomWalk(random: Random): WalkSpec {
  const index = random.pick(Object.keys(INDEXES));
  const count = random.below(6) + 1;
  const field = random.pick(Object.keys(FIELD_POOLS));
  return {
    index,
    range: randomRange(random, index),
    ...(random.chance(0.5) ? { order: random.pick(["asc", "desc"] as const) } : {}),
    ...(random.chance(0.3) ? { keep: [field, random.pick(present(field))] as const } : {}),
    terminal: random.pick<WalkSpec["terminal"]>([
      ["collect"],
      ["first"],
      ["take", count],
      ["unique"],
      ["iterate", count],
      ["paginate", { numItems: count }],
    ]),
  };
}

/** A read that does the same whenever it runs on the same rows. */
export type RandomQuery = (db: Loose) => Promise<unknown>;

/** Reads what a page of the same walk was asked for with, so that its cursors can be used again. */
async function pageBehind(db: Loose, spec: WalkSpec, places: Loose): Promise<unknown> {
  return doStep(db, {
    table: "values",
    method: "walk",
    args: [{ ...spec, terminal: ["paginate", { numItems: 3, ...places }] }],
  });
}

/** `db` is what the query may look at while it is made up, for cursors. */
export async function randomQuery(random: Random, db: Loose, ids: readonly string[]): Promise<RandomQuery> {
  const one = (method: string, ...args: unknown[]): RandomQuery => {
    const step: Step = { table: "values", method, args };
    return (read) => doStep(read, step);
  };
  const id = ids.length > 0 && random.chance(0.9) ? random.pick(ids) : "AAAAAAAAAAAAAAAAAAAAAA";
  const kind = random.below(10);
  if (kind === 0) return one("get", id);
  if (kind === 1) return (read) => read.get(id);
  if (kind === 2) return one(random.pick(["count", "exists"]), { where: randomWhere(random) });
  if (kind === 3) return one("findFirst", randomOptions(random, ids));
  if (kind === 4) {
    const options = { where: randomWhere(random), orderBy: randomOrder(random), limit: 3, cursor: null };
    const first: Loose = await doStep(db, { table: "values", method: "findMany", args: [options] });
    return one("findMany", { ...options, cursor: random.chance(0.5) ? null : first.continueCursor });
  }
  if (kind < 7) return one("findMany", randomOptions(random, ids));
  const spec = randomWalk(random);
  if (kind > 7) return one("walk", spec);
  const first: Loose = await pageBehind(db, spec, {});
  const second: Loose = await pageBehind(db, spec, { cursor: first.continueCursor });
  const places = random.pick([
    { cursor: first.continueCursor },
    { cursor: null, endCursor: first.continueCursor },
    { cursor: first.continueCursor, endCursor: second.continueCursor },
  ]);
  return (read) => pageBehind(read, spec, places);
}
