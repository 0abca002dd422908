import { LunoraError } from "@lunora/errors";
import { expect, test } from "vitest";

import { defineMigration, isRegisteredMigration } from "./define-migration.ts";
import type { Untyped } from "./untyped.ts";

const up = (): undefined => undefined;

test("a migration is what it was declared with", () => {
  const registered = defineMigration({ id: "1", table: "things", up, down: up, batchSize: 10 });
  expect(registered).toEqual({ kind: "migration", id: "1", table: "things", up, down: up, batchSize: 10 });
  expect(isRegisteredMigration(registered)).toBe(true);
  expect(Object.keys(defineMigration({ id: "1", table: "things", up }))).toEqual(["kind", "id", "table", "up"]);
  for (const other of [null, undefined, {}, { kind: "shape" }, "migration"])
    expect(isRegisteredMigration(other)).toBe(false);
});

test.each<[string, Untyped]>([
  ["no id", { table: "things", up }],
  ["an empty id", { id: "", table: "things", up }],
  ["no table", { id: "1", up }],
  ["no up", { id: "1", table: "things" }],
  ["a down that is no function", { id: "1", table: "things", up, down: "x" }],
  ...[0, -1, 1.5, 1_001, "10", Number.NaN].map((batchSize): [string, Untyped] => [
    `batches of ${String(batchSize)}`,
    { id: "1", table: "things", up, batchSize },
  ]),
])("%s is refused", (_, options) => {
  let refusal: unknown;
  try {
    defineMigration(options);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(LunoraError);
  expect((refusal as LunoraError).code).toBe("SCHEMA_INVALID");
});
