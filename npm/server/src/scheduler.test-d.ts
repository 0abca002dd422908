import type { FunctionReference } from "@lunora/protocol";
import { expectTypeOf, test } from "vitest";

import type { ActionCtx, CronJobs, MutationCtx, QueryCtx, Scheduler } from "./index.ts";
import type { DataModel } from "./model.fixture.ts";

declare const scheduler: Scheduler;
declare const crons: CronJobs;
declare const mail: FunctionReference<"action", { to: string }, void, "internal">;
declare const tidy: FunctionReference<"mutation", {}, void>;
declare const list: FunctionReference<"query", {}, string[]>;

test("mutations and actions are scheduled with their arguments", () => {
  expectTypeOf(scheduler.runAfter(0, mail, { to: "a" }, { retry: { maxAttempts: 1 } })).toEqualTypeOf<
    Promise<string>
  >();
  expectTypeOf(scheduler.runAt(new Date(0), tidy)).toEqualTypeOf<Promise<string>>();
  // @ts-expect-error the argument is missing
  void scheduler.runAfter(0, mail);
  // @ts-expect-error the argument has another type
  void scheduler.runAfter(0, mail, { to: 5 });
  // @ts-expect-error nobody would see the result of a query
  void scheduler.runAfter(0, list);
});

test("crons take the same", () => {
  crons.daily("mail", { hourUTC: 3, minuteUTC: 0 }, mail, { to: "a" }).interval("tidy", { minutes: 5 }, tidy);
  // @ts-expect-error the argument is missing
  crons.hourly("mail", { minuteUTC: 0 }, mail);
  // @ts-expect-error nobody would see the result of a query
  crons.hourly("list", { minuteUTC: 0 }, list);
  // @ts-expect-error there are no seconds
  crons.interval("tidy", { seconds: 5 }, tidy);
});

test("queries have no scheduler", () => {
  expectTypeOf<MutationCtx<DataModel>>().toHaveProperty("scheduler");
  expectTypeOf<ActionCtx<DataModel>>().toHaveProperty("scheduler");
  expectTypeOf<QueryCtx<DataModel>>().not.toHaveProperty("scheduler");
});
