/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import { describe, expectTypeOf, it } from "vitest";

import { defineMigration, migrationsOf } from "./index.ts";
import type { Id } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const migration = migrationsOf<DataModel>();

describe("a migration", () => {
  it("is given a document with columns that the schema no longer has, and gives a whole one", () => {
    migration({
      id: "1-title",
      table: "channels",
      up: ({ title, ...channel }) => {
        expectTypeOf(channel._id).toEqualTypeOf<Id<"channels">>();
        return channel.name === undefined ? { ...channel, name: title as string } : undefined;
      },
      down: (channel) => channel,
    });
    migration({ id: "2", table: "messages", up: (row) => ({ ...row, likes: 0, body: `${row.body}!` }) });
  });

  it("knows tables and columns", () => {
    // @ts-expect-error no such table
    migration({ id: "1", table: "nothing", up: () => undefined });
    // @ts-expect-error another type
    migration({ id: "1", table: "channels", up: (row) => ({ ...row, name: 1 }) });
    // @ts-expect-error a column is missing
    migration({ id: "1", table: "channels", up: () => ({ topic: "x" }) });
    // @ts-expect-error nothing is awaited
    migration({ id: "1", table: "channels", up: async (row) => row });
    // @ts-expect-error no transform
    migration({ id: "1", table: "channels" });
    defineMigration({ id: "1", table: "anything", up: (row) => ({ ...row, x: 1 }) });
  });
});
