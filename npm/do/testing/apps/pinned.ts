// An app pinned to a jurisdiction, on namespaces that keep it or break it in every known way.
import { admin, createSessionObject, createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { adminRoutes, createWorker, fanOut, presenceRoutes } from "@lunora/runtime";
import { createSchedulerObject, scheduling } from "@lunora/scheduler";
import { defineApp, definePresence, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";
import type { Loose } from "../loose.ts";

const { query, mutation, action } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  rows: defineTable({ room: v.string() }).shardBy("room"),
  log: defineTable({ text: v.string() }),
}).jurisdiction("eu");

const write: Loose = { path: "pinned:write", kind: "mutation", address: { kind: "root" } };
const kinds = { room: definePresence({ data: v.object({}), authorize: () => true }) };

const handlers = {
  read: query.query(async ({ ctx }: Loose) => ctx.db.query("log").collect()),
  write: mutation.input({ text: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("log", args)),
  add: mutation.input({ room: v.string() }).mutation(async ({ ctx, args }: Loose) => ctx.db.insert("rows", args)),
  list: query.input({ room: v.string() }).query(async ({ ctx }: Loose) => ctx.db.query("rows").collect()),
  later: mutation
    .input({ room: v.string(), text: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.scheduler.runAfter(0, write, { text: args.text })),
  plan: action.action(async ({ ctx }: Loose) => ctx.scheduler.runAfter(0, write, { text: "planned" })),
  all: query.query(async ({ ctx }: Loose) => ctx.db.query("rows").collect()),
  act: action.action(async ({ ctx }: Loose) => ctx.runMutation(write, { text: "acted" })),
};

const room = { kind: "argument", argument: "room", field: "room" } as const;
const addresses: Record<string, Loose> = {
  add: room,
  list: room,
  later: room,
  plan: { kind: "worker" },
  all: { kind: "fanOut", field: "room", merge: { kind: "concat" } },
  act: { kind: "worker" },
};

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([name, { kind, visibility }]) => [
    `pinned:${name}`,
    {
      kind,
      visibility,
      address: addresses[name] ?? { kind: "root" },
      module: async () => handlers,
      exportName: name,
    },
  ]),
);

const definition: LunoraDefinition = {
  schema,
  functions,
  fanOut,
  app: defineApp({ authorizeShard: () => true, authorizeFanOut: () => true }),
  presence: { "rooms:room": { module: async () => kinds, exportName: "room" } },
  scheduling,
  admin,
};

/** What objects meet in their environment; the Worker is told by a header. */
let insideObjects = "none";
/** How often an object outside the jurisdiction was asked for. */
let touched = 0;

/** A namespace that stands for the objects outside, and hands out those inside unless `fault` says otherwise. */
function guarded(outside: Loose, inside: Loose, faultNow: () => string): Loose {
  const face = {
    idFromName: (name: string): unknown => outside.idFromName(name),
    get(id: unknown): unknown {
      touched += 1;
      return outside.get(id);
    },
    getByName(name: string): unknown {
      touched += 1;
      return outside.getByName(name);
    },
    newUniqueId(): unknown {
      touched += 1;
      return outside.newUniqueId();
    },
  };
  const answers: Record<string, (this: unknown) => unknown> = {
    none: () => inside,
    throwing: () => {
      throw new Error("Jurisdiction restrictions are not implemented in workerd.");
    },
    undefined: () => undefined,
    promise: () => Promise.resolve(inside),
    "no namespace": () => ({}),
    itself() {
      return this;
    },
    // The same objects behind another face.
    unpinned: () => ({ ...face }),
  };
  return new Proxy(face, {
    get: (target, key) => {
      if (key !== "jurisdiction") return Reflect.get(target, key);
      return faultNow() === "missing" ? undefined : answers[faultNow()];
    },
  });
}

const INSIDE = "EU_";

/** The environment of a pinned app: what is bound is outside, and `EU_` before the name is what it restricts to. */
function environment(env: Loose, faultNow: () => string): Loose {
  const bindings = Object.keys(env).filter((name) => name.startsWith(INSIDE));
  const guards = bindings.map((name) => {
    const outside = name.slice(INSIDE.length);
    return [outside, guarded(env[outside], env[name], faultNow)];
  });
  return { ...env, ...Object.fromEntries(guards) };
}

/** A class, and the same one as it is inside: with an environment that may be at fault. */
function both(Base: Loose): [Loose, Loose] {
  class Inside extends Base {
    constructor(context: unknown, env: Loose) {
      super(
        context,
        environment(env, () => insideObjects),
      );
    }
  }
  return [class extends Base {}, Inside];
}

const [Shard, EuShard] = both(createShardObject(definition));
const [Registry, EuRegistry] = both(createShardRegistryObject(definition));
const [Session, EuSession] = both(createSessionObject(definition));
const [Scheduler, EuScheduler] = both(createSchedulerObject(definition));

export const ShardDO: ShardObjectClass = Shard;
export const ShardRegistryDO: ShardRegistryObjectClass = Registry;
export const SessionDO: Loose = Session;
export const SchedulerDO: Loose = Scheduler;
export const EuShardDO: ShardObjectClass = EuShard;
export const EuShardRegistryDO: ShardRegistryObjectClass = EuRegistry;
export const EuSessionDO: Loose = EuSession;
export const EuSchedulerDO: Loose = EuScheduler;

const worker = createWorker(definition, { routes: [...adminRoutes(), ...presenceRoutes()] });

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/touched") {
      const answer = Response.json(touched);
      touched = 0;
      return answer;
    }
    if (pathname === "/inside") {
      insideObjects = searchParams.get("fault") ?? "none";
      return new Response();
    }
    const fault = request.headers.get("x-test-fault") ?? "none";
    return worker.fetch(
      request,
      environment(env, () => fault),
      context,
    );
  },
};
