import { describe, expect, it } from "vitest";

import platformTypes from "../../../node_modules/@cloudflare/workers-types/index.d.ts?raw";
import fixtureText from "../../../tests/fixtures/jurisdictions.json?raw";
import { defineSchema, defineSchemaExtension } from "./define-schema.ts";
import type { SchemaBuilder } from "./define-schema.ts";
import { defineTable } from "./define-table.ts";
import { JURISDICTIONS } from "./jurisdiction.ts";
import { v } from "@lunora/values";

const users = defineTable({ name: v.string() });
const extension = defineSchemaExtension("blog", { tables: { posts: defineTable({ title: v.string() }) } });

const modifiers: Readonly<Record<string, (schema: SchemaBuilder) => SchemaBuilder>> = {
  rls: (schema) => schema.rls("required"),
  extend: (schema) => schema.extend(extension),
  jurisdiction: (schema) => schema.jurisdiction("eu"),
};

function orders(names: readonly string[]): string[][] {
  if (names.length === 0) return [[]];
  return names.flatMap((name) => orders(names.filter((other) => other !== name)).map((rest) => [name, ...rest]));
}

describe("jurisdiction", () => {
  it("knows what the toolchain knows", () => {
    expect(JURISDICTIONS).toEqual(JSON.parse(fixtureText));
    for (const name of JURISDICTIONS) expect(defineSchema({ users }).jurisdiction(name).pinnedJurisdiction).toBe(name);
  });

  it("knows what the platform's types know", () => {
    const union = /type DurableObjectJurisdiction = ([^;]+);/.exec(platformTypes)?.[1] ?? "";
    expect(Array.from(union.matchAll(/"([a-z-]+)"/g), ([, name]) => name).toSorted()).toEqual(JURISDICTIONS.toSorted());
  });

  it.each(orders(Object.keys(modifiers)))("composes as %s, %s, %s", (...order) => {
    const schema = order.reduce(
      (before, name) => (modifiers[name] as (typeof modifiers)[string])(before),
      defineSchema({ users }),
    );
    expect(schema).toMatchObject({ pinnedJurisdiction: "eu", rowLevelSecurity: "required" });
    expect(Object.keys(schema.tables)).toEqual(["users", "blog_posts"]);
  });

  it("is one: a second one that differs is refused, as the toolchain refuses it", () => {
    const schema = defineSchema({ users }).jurisdiction("eu");
    expect(schema.jurisdiction("eu").pinnedJurisdiction).toBe("eu");
    expect(() => schema.jurisdiction("us")).toThrow("already pinned to `eu`");
  });
});
