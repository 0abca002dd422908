// An app with rooms: one that is open, one that asks, one that nobody may enter. Times are short.
import { createSessionObject, createShardObject, createShardRegistryObject } from "@lunora/do";
import type { SessionObject, ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { createWorker, presenceRoutes } from "@lunora/runtime";
import { defineApp, definePresence, defineSchema, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

const kinds = {
  open: definePresence({
    data: v.object({ name: v.string(), note: v.optional(v.string()), at: v.optional(v.bigint()) }),
    authorize: () => true,
  }),
  asks: definePresence({
    data: v.object({ name: v.string() }),
    authorize: ({ identity, room }) => identity?.userId === room || identity?.userId === "root",
  }),
  closed: definePresence({ data: v.object({}) }),
};

const module = async (): Promise<Record<string, unknown>> => kinds;
const schema = defineSchema({});
const app = defineApp({
  resolveIdentity: ({ token }) => {
    if (token === undefined) return null;
    const [userId = "", seconds] = token.split("~");
    return { userId, ...(seconds === undefined ? {} : { expiresAt: Date.now() + Number(seconds) * 1000 }) };
  },
});

const definition: LunoraDefinition = {
  schema,
  functions: {},
  app,
  presence: Object.fromEntries(Object.keys(kinds).map((exportName) => [`rooms:${exportName}`, { module, exportName }])),
};

export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);

declare const SILENCE: number | undefined;

const SessionBase = createSessionObject(definition, {
  times: { graceMs: 1_500, silenceMs: typeof SILENCE === "number" ? SILENCE : 4_000 },
}) as unknown as new (context: never, env: never) => SessionObject & { readonly ctx: Loose };

let constructions = 0;

export class SessionDO extends SessionBase {
  readonly construction = (constructions += 1);

  async constructed(): Promise<number> {
    return constructions;
  }

  async alarmTime(): Promise<unknown> {
    return this.ctx.storage.getAlarm();
  }

  async seats(): Promise<unknown> {
    return this.ctx.storage.sql.exec("SELECT member FROM empty_seat").toArray();
  }
}

const worker = createWorker(definition, { routes: presenceRoutes() });

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/test") return worker.fetch(request, env, context);
    const stub = env.SESSION.getByName(searchParams.get("object"));
    const { method, argument } = (await request.json()) as { method: string; argument: unknown };
    return Response.json(await stub[method](argument));
  },
};
