// An app that schedules: from mutations and actions, with failures on demand.
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObject, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { createWorker } from "@lunora/runtime";
import { cronJobs, defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import type { Loose } from "../../do/testing/loose.ts";
import { createCronHandler, createSchedulerObject, scheduling } from "../src/index.ts";
import type { SchedulerObject } from "../src/index.ts";

/** Set by tests: without a function, or with another retry policy. */
declare const WITHOUT: string;

const { query, mutation, action, internalMutation, internalAction } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  marks: defineTable({ text: v.string(), jobId: v.optional(v.string()) }),
  ids: defineTable({ jobId: v.string() }),
  /** Each row schedules when it is written, and takes that back when it goes. */
  reminders: defineTable({
    text: v.string(),
    delay: v.number(),
    expiresAt: v.optional(v.number()),
    jobId: v.optional(v.string()),
  })
    .ttl("expiresAt")
    .triggers((t: Loose) => ({
      plan: t.beforeInsert(async ({ ctx, document }: Loose) => ({
        ...document,
        jobId: await ctx.scheduler.runAfter(document.delay, reference("mark"), { text: document.text }),
      })),
      unplan: t.beforeDelete(async ({ ctx, previous }: Loose) => {
        const answer = await ctx.scheduler.cancel(previous.jobId);
        await ctx.scheduler.runAfter(0, reference("mark"), { text: `${previous.text} gone ${answer}` });
      }),
    })),
  rooms: defineTable({ room: v.string(), text: v.string() }).shardBy("room"),
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const reference = (name: string, kind = "mutation"): Loose => ({ path: `app:${name}`, kind });

/** How many calls an action or a failing mutation has seen, in this process. */
const calls = new Map<string, number>();
const count = (key: string): number => {
  const next = (calls.get(key) ?? 0) + 1;
  calls.set(key, next);
  return next;
};
/** Jobs that run at once now, and the most there were. */
let running = 0;
let peak = 0;

const handlers = {
  mark: internalMutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("marks", { text: args.text, jobId: ctx.jobId });
  }),
  /** Fails the given number of times. */
  flaky: internalMutation.input({ text: v.string(), failures: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    await ctx.db.insert("marks", { text: args.text });
    if (count(args.text) <= args.failures) throw new LunoraError("CONFLICT", `not yet ${args.text}`);
  }),
  roomMark: internalMutation
    .input({ room: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("rooms", args)),
  gone: internalMutation.mutation(async () => {}),
  work: internalAction.input({ text: v.string(), ms: v.number() }).action(async ({ ctx, args }: Loose) => {
    running += 1;
    peak = Math.max(peak, running);
    try {
      await pause(args.ms);
      await ctx.runMutation(reference("mark"), { text: `${args.text} ${ctx.jobId}` });
    } finally {
      running -= 1;
    }
  }),
  marks: query.query(async ({ ctx }: Loose) => (await ctx.db.query("marks").collect()).map(({ text }: Loose) => text)),
  markRows: query.query(async ({ ctx }: Loose) => ctx.db.query("marks").collect()),
  roomMarks: query
    .input({ room: v.string() })
    .query(async ({ ctx }: Loose) => (await ctx.db.query("rooms").collect()).map(({ text }: Loose) => text)),
  /** Schedules many; then fails when asked to. */
  plan: mutation
    .input({
      target: v.string(),
      kind: v.optional(v.string()),
      each: v.array(v.any()),
      delay: v.any(),
      fails: v.optional(v.boolean()),
      waits: v.optional(v.number()),
      retry: v.optional(v.any()),
    })
    .mutation(async ({ ctx, args }: Loose) => {
      const ids: string[] = [];
      for (const each of args.each)
        ids.push(
          await ctx.scheduler.runAfter(args.delay, reference(args.target, args.kind), each, { retry: args.retry }),
        );
      if (args.waits !== undefined) await pause(args.waits);
      if (args.fails === true) throw new LunoraError("CONFLICT", "taken back");
      return ids;
    }),
  planAt: mutation
    .input({ time: v.any(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.scheduler.runAt(args.time, reference("mark"), { text: args.text })),
  /** A nested mutation schedules and fails; its caller goes on. */
  planNested: mutation.mutation(async ({ ctx }: Loose) => {
    await ctx.scheduler.runAfter(0, reference("mark"), { text: "outer before" });
    await ctx
      .runMutation(reference("plan"), { target: "mark", each: [{ text: "inner" }], delay: 0, fails: true })
      .catch(() => {});
    await ctx.scheduler.runAfter(0, reference("mark"), { text: "outer after" });
  }),
  planAndCancel: mutation.mutation(async ({ ctx }: Loose) => {
    const id = await ctx.scheduler.runAfter(0, reference("mark"), { text: "never" });
    const before = await ctx.scheduler.get(id);
    const first = await ctx.scheduler.cancel(id);
    const second = await ctx.scheduler.cancel(id);
    return { before, first, second, after: await ctx.scheduler.get(id) };
  }),
  cancel: mutation
    .input({ id: v.string(), fails: v.optional(v.boolean()), waits: v.optional(v.number()) })
    .mutation(async ({ ctx, args }: Loose) => {
      const answer = await ctx.scheduler.cancel(args.id);
      await ctx.db.insert("ids", { jobId: `${args.id} ${answer}` });
      if (args.waits !== undefined) await pause(args.waits);
      if (args.fails === true) throw new LunoraError("CONFLICT", "taken back");
      return answer;
    }),
  cancelInRoom: mutation
    .input({ room: v.string(), id: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.scheduler.cancel(args.id)),
  cancelNow: action.input({ id: v.string() }).action(async ({ ctx, args }: Loose) => ctx.scheduler.cancel(args.id)),
  planNow: action
    .input({ target: v.string(), args: v.any(), delay: v.number() })
    .action(async ({ ctx, args }: Loose) => ctx.scheduler.runAfter(args.delay, reference(args.target), args.args)),
  look: action.input({ id: v.string() }).action(async ({ ctx, args }: Loose) => ctx.scheduler.get(args.id)),
  list: action.input({ options: v.any() }).action(async ({ ctx, args }: Loose) => ctx.scheduler.list(args.options)),
  listInside: mutation.mutation(async ({ ctx }: Loose) => ctx.scheduler.list()),
  remind: mutation
    .input({ each: v.array(v.any()), fails: v.optional(v.boolean()) })
    .mutation(async ({ ctx, args }: Loose) => {
      const ids: string[] = [];
      for (const each of args.each) ids.push(await ctx.db.insert("reminders", each));
      if (args.fails === true) throw new LunoraError("CONFLICT", "taken back");
      return ids;
    }),
  forgetReminder: mutation
    .input({ id: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.delete("reminders", args.id)),
  reminders: query.query(async ({ ctx }: Loose) => ctx.db.query("reminders").collect()),
  peak: action.action(async () => peak),
  /** Plans one job and tells its id by a row, so that whoever reads the row may cancel it. */
  planAndTell: mutation.input({ text: v.string(), delay: v.number() }).mutation(async ({ ctx, args }: Loose) => {
    const jobId = await ctx.scheduler.runAfter(args.delay, reference("mark"), { text: args.text });
    await ctx.db.insert("ids", { jobId });
    return jobId;
  }),
};

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers)
    .filter(([name]) => name !== WITHOUT)
    .map(([name, registered]) => [
      `app:${name}`,
      {
        kind: registered.kind,
        visibility: registered.visibility,
        address:
          registered.kind === "action"
            ? { kind: "worker" }
            : /[rR]oom/.test(name)
              ? { kind: "argument", argument: "room", field: "room" }
              : { kind: "root" },
        module: async () => handlers,
        exportName: name,
      },
    ]),
) as Loose;

const app = defineApp({ authorizeShard: () => true });
const definition: LunoraDefinition = { schema, functions, app, scheduling };

type Base<Methods> = new (context: never, env: never) => Methods & { readonly ctx: Loose };

const ShardBase = createShardObject(definition) as unknown as Base<ShardObject>;

export class ShardDO extends ShardBase {
  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }
}

export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

const SchedulerBase = createSchedulerObject(definition, {
  retry: { maxAttempts: 3, baseMs: 20, maxMs: 100 },
  holdMs: 300,
  rememberMs: 500,
  maxInterruptions: 1_000,
}) as unknown as Base<SchedulerObject>;

export class SchedulerDO extends SchedulerBase {
  async sql(text: string): Promise<unknown> {
    return this.ctx.storage.sql.exec(text).toArray();
  }
}

const crons = cronJobs()
  .hourly("tidy", { minuteUTC: 0 }, reference("mark"), { text: "cron tidy" })
  .hourly("mend", { minuteUTC: 0 }, reference("flaky"), { text: "cron mend", failures: 1 })
  .daily("late", { hourUTC: 0, minuteUTC: 0 }, reference("mark"), { text: "cron late" });
const scheduled = createCronHandler(definition, crons);

const worker = createWorker(definition);

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/tick") {
      await scheduled((await request.json()) as { cron: string; scheduledTime: number }, env);
      return new Response(null, { status: 204 });
    }
    if (pathname !== "/test") return worker.fetch(request, env, context);
    const object = searchParams.get("object") ?? "__root__";
    const stub = (object === "scheduler" ? env.SCHEDULER : env.SHARD).getByName(
      object === "scheduler" ? "__lunora_scheduler__" : object,
    );
    const { method, argument } = (await request.json()) as { method: string; argument: unknown };
    return Response.json(await stub[method](argument));
  },
};
