/* oxlint-disable vitest/expect-expect -- an error that `tsc` must find is an assertion too */
import { describe, expectTypeOf, it } from "vitest";

import {
  defineMutator,
  definePermission,
  definePolicies,
  definePolicy,
  defineRole,
  initLunora,
  policiesOf,
  rls,
  v,
} from "./index.ts";
import type { DatabaseReader, Identity, PolicyAuth, PolicyDefinition } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

const { query, mutation, action } = initLunora.dataModel<DataModel>().create();
const policy = policiesOf<DataModel>();

const moderate = definePermission("moderate");
const own = policy({ table: "messages", on: "read", when: ({ auth }) => ({ author: auth.userId ?? "" }) });

describe("definePolicy", () => {
  it("knows who asks, the database and, for writes, the row", () => {
    policy({
      table: "messages",
      on: "update",
      when: async ({ auth, ctx, row }) => {
        expectTypeOf(auth).toEqualTypeOf<PolicyAuth>();
        expectTypeOf(auth.identity).toEqualTypeOf<Identity | null>();
        expectTypeOf(ctx.db).toEqualTypeOf<DatabaseReader<DataModel>>();
        expectTypeOf(row).toEqualTypeOf<DataModel["messages"]["document"]>();
        // @ts-expect-error policies read only
        void ctx.db.insert;
        return auth.can(moderate) || { author: { eq: auth.userId } };
      },
    });
    policy({
      table: "channels",
      on: "read",
      when: ({ row }) => {
        expectTypeOf(row).toEqualTypeOf<undefined>();
        return true;
      },
    });
    expectTypeOf(own).toEqualTypeOf<PolicyDefinition>();
  });

  it("checks tables, operations, columns and that there is an answer", () => {
    // @ts-expect-error no such table
    policy({ table: "rooms", on: "read", when: () => true });
    // @ts-expect-error no such operation
    policy({ table: "channels", on: "list", when: () => true });
    // @ts-expect-error no such column
    policy({ table: "channels", on: "read", when: () => ({ color: "red" }) });
    // @ts-expect-error another type of column
    policy({ table: "messages", on: "read", when: () => ({ likes: "many" }) });
    // @ts-expect-error a policy answers in every case
    policy({ table: "messages", on: "read", when: ({ auth }) => (auth.userId === null ? undefined : true) });
  });

  it("can be written without a data model", () => {
    definePolicy({ table: "anything", on: "insert", when: ({ auth, row }) => row.owner === auth.userId });
  });
});

describe("rls", () => {
  const guard = rls(definePolicies([own]), { roles: [defineRole("moderator", { permissions: [moderate] })] });

  it("stands before queries, mutations and mutators, and leaves their ctx as it is", () => {
    query.use(guard).query(({ ctx }) => {
      expectTypeOf(ctx.db).toEqualTypeOf<DatabaseReader<DataModel>>();
      expectTypeOf(ctx.now).toEqualTypeOf<number>();
    });
    mutation
      .input({ body: v.string() })
      .use(guard)
      .mutation(async ({ ctx }) => ctx.db.messages.deleteWhere({ where: {} }));
    defineMutator({ apply: () => {}, use: [guard] });
  });

  it("has nothing to guard in an action", () => {
    // @ts-expect-error an action has no db
    action.use(guard);
  });
});
