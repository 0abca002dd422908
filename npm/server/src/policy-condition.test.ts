import { describe, expect, it } from "vitest";

import {
  definePermission,
  definePolicy,
  defineRole,
  effectiveReadWhere,
  hasPolicy,
  policyCondition,
  rls,
  rulesOf,
} from "./index.ts";
import type { Identity, PolicyRules } from "./index.ts";

const db = { name: "db of policies" };

/** Facts of an identity, and how often it was looked at. */
function factsOf(identity: Identity | null): { db: object; identity: () => Identity | null; looks: number } {
  const facts = {
    db,
    looks: 0,
    identity: () => {
      facts.looks += 1;
      return identity;
    },
  };
  return facts;
}

const rulesWith = (...answers: unknown[]): PolicyRules =>
  rls(answers.map((answer) => definePolicy({ table: "t", on: "read", when: () => answer as boolean }))).rules;
const nobody = factsOf(null);

describe("what policies allow together", () => {
  it.each([
    ["no policy", [], undefined],
    ["all rows", [true], undefined],
    ["no row", [false], false],
    ["a condition", [{ a: 1 }], { a: 1 }],
    ["all rows and a condition", [true, { a: 1 }], { a: 1 }],
    ["two conditions", [{ a: 1 }, { b: 2 }], { AND: [{ a: 1 }, { b: 2 }] }],
    // Nobody's user id is null: rows of nobody are not everybody's.
    ["a column that is nobody's", [{ a: null }], { a: { in: [] } }],
    ["the same in other words", [{ a: { eq: null, ne: 1 } }], { a: { ne: 1, in: [] } }],
    ["somebody's, or nobody's, in so many words", [{ a: { in: [1, null] } }], { a: { in: [1, null] } }],
    ["nobody's inside others", [{ OR: [{ a: null }, { b: 1 }] }], { OR: [{ a: { in: [] } }, { b: 1 }] }],
    ["all but nobody's", [{ AND: [{ NOT: { a: null } }] }], { AND: [{ NOT: { a: { in: [] } } }] }],
    [
      "an absent column",
      [{ a: { isNull: true } }, { b: { ne: null } }],
      { AND: [{ a: { isNull: true } }, { b: { ne: null } }] },
    ],
    ["a condition and no row", [{ a: 1 }, false], false],
  ])("%s", async (_, answers, wanted) => {
    expect(await effectiveReadWhere([rulesWith(...answers)], "t", nobody)).toEqual(wanted);
    // Spread over several `rls`, the same.
    expect(
      await effectiveReadWhere(
        answers.map((answer) => rulesWith(answer)),
        "t",
        nobody,
      ),
    ).toEqual(wanted);
    expect(await effectiveReadWhere([rulesWith(...answers)], "other", nobody)).toBeUndefined();
    expect(await policyCondition([rulesWith(...answers)], "t", "delete", nobody)).toBeUndefined();
  });

  it("stops at the first no", async () => {
    const never = definePolicy({
      table: "t",
      on: "read",
      when: () => {
        throw new Error("asked for nothing");
      },
    });
    expect(await effectiveReadWhere([rulesWith(false), rls([never]).rules], "t", nobody)).toBe(false);
  });
});

describe("an answer that is none", () => {
  const answers = [undefined, null, "all", 1, [], new Date(0), { a: undefined }, { a: { eq: undefined } }];
  const nested = [{ OR: [{ a: 1 }, { b: undefined }] }, { NOT: { a: undefined } }, { a: { in: [1, undefined] } }];
  it.each([...answers, ...nested].map((answer) => [JSON.stringify(answer) ?? "undefined", answer]))(
    "%s",
    async (_, answer) => {
      await expect(effectiveReadWhere([rulesWith(answer)], "t", nobody)).rejects.toMatchObject({ code: "INTERNAL" });
    },
  );
});

describe("who asks", () => {
  const moderate = definePermission("moderate");
  const roles = [defineRole("moderator", { permissions: [moderate] })];
  const seen = async (identity: Identity | null, look: (auth: never) => unknown): Promise<unknown> => {
    let value: unknown;
    const policy = definePolicy({
      table: "t",
      on: "read",
      when: ({ auth }) => {
        value = look(auth as never);
        return true;
      },
    });
    await effectiveReadWhere([rls([policy], { roles }).rules], "t", factsOf(identity));
    return value;
  };

  it("is told by id, claims, roles and permissions", async () => {
    const ann = { userId: "ann", roles: ["moderator", 5], plan: "free" };
    expect(await seen(ann, ({ userId }) => userId)).toBe("ann");
    expect(await seen(ann, ({ identity }) => identity)).toEqual(ann);
    expect(await seen(ann, ({ roles: own }) => own)).toEqual(["moderator"]);
    expect(await seen(ann, ({ can }: { can: (p: unknown) => boolean }) => can(moderate))).toBe(true);
    expect(await seen(null, ({ userId }) => userId)).toBeNull();
    for (const own of [undefined, "moderator", [], ["Moderator"], [["moderator"]]]) {
      const identity = { userId: "ben", ...(own === undefined ? {} : { roles: own }) };
      expect(await seen(identity, ({ can }: { can: (p: unknown) => boolean }) => can(moderate))).toBe(false);
    }
    const inherited = Object.assign(Object.create({ roles: ["moderator"] }) as object, { userId: "x" });
    expect(await seen(inherited, ({ can }: { can: (p: unknown) => boolean }) => can(moderate))).toBe(false);
  });

  it("is not looked at unless a policy does", async () => {
    const facts = factsOf({ userId: "ann" });
    await effectiveReadWhere([rulesWith({ a: 1 })], "t", facts);
    expect(facts.looks).toBe(0);
    const looks = definePolicy({ table: "t", on: "read", when: ({ auth }) => ({ owner: auth.userId }) });
    expect(await effectiveReadWhere([rls([looks]).rules], "t", facts)).toEqual({ owner: "ann" });
    expect(facts.looks).toBe(1);
  });

  it("comes with the database of policies and the row that is written", async () => {
    let options: unknown;
    const policy = definePolicy({
      table: "t",
      on: "insert",
      when: (given) => {
        options = given;
        return true;
      },
    });
    await policyCondition([rls([policy]).rules], "t", "insert", nobody, { _id: "1" });
    expect(options).toMatchObject({ ctx: { db }, row: { _id: "1" } });
  });
});

describe("rls", () => {
  const policies = [definePolicy({ table: "t", on: "read", when: () => true })];

  it("carries its rules", () => {
    const guard = rls(policies);
    expect(rulesOf(guard)).toMatchObject({ policies, roles: [] });
    expect(rulesOf(() => {})).toBeUndefined();
    expect(rulesOf(null)).toBeUndefined();
    expect(hasPolicy([guard.rules], "t", "read")).toBe(true);
    expect(hasPolicy([guard.rules], "t", "update")).toBe(false);
  });

  it("refuses a ctx without a database that it can restrict", async () => {
    const next = (): never => {
      throw new Error("went on");
    };
    for (const ctx of [{}, { db: undefined }, { db: {} }])
      await expect(rls(policies)({ ctx: ctx as never, args: {}, next })).rejects.toMatchObject({ code: "INTERNAL" });
  });
});
