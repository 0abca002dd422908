// An app that sends and takes mail, pinned to a jurisdiction whose objects are those behind `EU_SHARD`.
import { WorkerEntrypoint } from "cloudflare:workers";
import { createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { LunoraError } from "@lunora/errors";
import { createWorker, crossingsOf } from "@lunora/runtime";
import { defineApp, defineSchema, defineTable, initLunora, v } from "@lunora/server";
import type { FunctionRegistry, LunoraDefinition } from "@lunora/server";

import type { Loose } from "../../do/testing/loose.ts";
import { createInboundEmailHandler, dispatchToLunoraFunction, parseInboundEmail } from "../src/inbound.ts";
import { createMailerFromEnv } from "../src/index.ts";

const { query, internalMutation, internalAction, action } = initLunora.dataModel<Loose>().create();

const schema = defineSchema({
  mails: defineTable({ subject: v.string(), userId: v.optional(v.string()) }),
  notes: defineTable({ room: v.string(), subject: v.string() }).shardBy("room"),
}).jurisdiction("eu");

const handlers = {
  receive: internalMutation.input({ subject: v.string() }).mutation(async ({ ctx, args }: Loose) => {
    if (args.subject === "fail") throw new LunoraError("CONFLICT", "a secret of the app");
    return ctx.db.insert("mails", { subject: args.subject, userId: ctx.auth.userId ?? "nobody" });
  }),
  note: internalMutation
    .input({ room: v.string(), subject: v.string() })
    .mutation(async ({ ctx, args }: Loose) => ctx.db.insert("notes", args)),
  act: internalAction
    .input({ subject: v.string() })
    .action(async ({ ctx, args }: Loose) =>
      ctx.runMutation(reference("receive"), { subject: `acted ${args.subject}` }),
    ),
  list: query.query(async ({ ctx }: Loose) => ctx.db.query("mails").collect()),
  notes: query.input({ room: v.string() }).query(async ({ ctx }: Loose) => ctx.db.query("notes").collect()),
  /** Answers the id, or the code. */
  send: action.input({ message: v.any(), capture: v.boolean() }).action(async ({ ctx, args }: Loose) => {
    const env = { ...ctx.env, LUNORA_MAIL_CAPTURE: args.capture ? "1" : "0" };
    const options = { cloudflareSend: ctx.env.SEND_EMAIL, jurisdiction: "eu" as const };
    try {
      return await createMailerFromEnv(env, options).send(args.message);
    } catch (error) {
      const { code, data } = error as LunoraError;
      return { code, data };
    }
  }),
};

const reference = (name: string): Loose => ({ path: `app:${name}`, kind: "mutation" });

const room = { kind: "argument", argument: "room", field: "room" } as const;
const addresses: Record<string, Loose> = { note: room, notes: room, act: { kind: "worker" }, send: { kind: "worker" } };

const functions: FunctionRegistry = Object.fromEntries(
  Object.entries(handlers).map(([name, { kind, visibility }]) => [
    `app:${name}`,
    { kind, visibility, address: addresses[name] ?? { kind: "root" }, module: async () => handlers, exportName: name },
  ]),
);

/** The recipient says what becomes of a mail: `receive@…`, `unpinned@…`, `forward@…`. */
const dispatches: Record<string, ReturnType<typeof dispatchToLunoraFunction>> = {
  receive: to("receive", { jurisdiction: "eu" }),
  unpinned: to("receive", {}),
  rooted: to("receive", { jurisdiction: "eu", shardKey: "__root__" }),
  misplaced: to("receive", { jurisdiction: "eu", shardKey: "elsewhere" }),
  missing: to("missing", { jurisdiction: "eu" }),
  act: to("act", { jurisdiction: "eu" }),
  note: dispatchToLunoraFunction({
    functionPath: "app:note",
    jurisdiction: "eu",
    resolveArgs: ({ subject }) => ({ room: "kitchen", subject: subject ?? "" }),
  }),
  forward: async (_, { message }) => void (await message.forward("archive@example.com")),
  reply: async ({ subject }, { message }) =>
    void (await message.reply({ from: message.to, subject: `Re: ${subject}`, text: "Got it." })),
};

function to(name: string, options: Loose): ReturnType<typeof dispatchToLunoraFunction> {
  const functionPath = `app:${name}`;
  return dispatchToLunoraFunction({
    functionPath,
    resolveArgs: ({ subject }) => ({ subject: subject ?? "" }),
    ...options,
  });
}

const definition: LunoraDefinition = {
  schema,
  functions,
  app: defineApp({
    authorizeShard: () => true,
    email: createInboundEmailHandler({
      parse: parseInboundEmail,
      verify: (_, { message }) => !message.from.startsWith("spam@"),
      dispatch: (email, scope) => dispatches[scope.message.to.split("@")[0] as string]?.(email, scope),
    }),
  }),
};

/** How often an object outside the jurisdiction was asked for. */
let touched = 0;

/** A namespace that stands for the objects outside, and hands out those inside unless `fault` says otherwise. */
function guarded(outside: Loose, inside: Loose, fault: string): Loose {
  const face: Loose = {
    idFromName: (name: string) => outside.idFromName(name),
    get(id: unknown) {
      touched += 1;
      return outside.get(id);
    },
    getByName(name: string) {
      touched += 1;
      return outside.getByName(name);
    },
  };
  const answers: Record<string, Loose> = {
    none: () => inside,
    throwing: () => {
      throw new Error("Jurisdiction restrictions are not implemented in workerd.");
    },
    undefined: () => undefined,
    promise: () => Promise.resolve(inside),
    itself: () => face,
    unpinned: () => ({ ...face }),
  };
  return fault === "missing" ? face : Object.assign(face, { jurisdiction: answers[fault] });
}

function environment(env: Loose, fault: string): Loose {
  return {
    ...env,
    SHARD: guarded(env.SHARD, env.EU_SHARD, fault),
    SHARD_REGISTRY: guarded(env.SHARD_REGISTRY, env.EU_SHARD_REGISTRY, fault),
  };
}

/** A class with an environment in which the jurisdiction is there. */
function pinned(Base: Loose): Loose {
  return class extends Base {
    constructor(context: unknown, env: Loose) {
      super(context, environment(env, "none"));
    }
  };
}

export const ShardDO: ShardObjectClass = pinned(createShardObject(definition));
export const ShardRegistryDO: ShardRegistryObjectClass = pinned(createShardRegistryObject(definition));
export const EuShardDO: ShardObjectClass = pinned(createShardObject(definition));
export const EuShardRegistryDO: ShardRegistryObjectClass = pinned(createShardRegistryObject(definition));

/** What the binding `send_email` was asked, newest last. */
let sent: Loose[] = [];

/** In the place of the binding `send_email`. */
export class SendEmail extends WorkerEntrypoint {
  async send(message: Loose): Promise<{ messageId: string }> {
    if (message.subject === "refused")
      throw Object.assign(new Error("destination address is not verified"), { code: "E_RECIPIENT_NOT_ALLOWED" });
    sent.push(message);
    return { messageId: `<${sent.length}@example.com>` };
  }
}

/** What the last mail took over the boundary. */
let crossings: unknown = [];

const worker = createWorker(definition);

/** Hands a mail to the worker as the dispatcher of development does, and tells what became of it. */
async function deliver(request: Request, env: Loose): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const outcome: Loose = { rejected: [], forwarded: [], replies: [], error: null };
  const raw = await request.arrayBuffer();
  try {
    await env.SELF.email({
      from: searchParams.get("from"),
      to: searchParams.get("to"),
      raw: new Response(raw).body,
      rawSize: raw.byteLength,
      headers: new Headers({ "x-fault": searchParams.get("fault") ?? "none" }),
      setReject: (reason: string) => void outcome.rejected.push(reason),
      forward: async (recipient: string) => void outcome.forwarded.push(recipient),
      reply: async (message: object) => void outcome.replies.push(message),
    });
  } catch (error) {
    outcome.error = String(error);
  }
  return Response.json(outcome);
}

/** Subjects of the root shard of a namespace, whoever may reach it. */
async function subjects(namespace: Loose): Promise<string[]> {
  const object = "__root__";
  const answer = await namespace.getByName(object).call({ object, functionPath: "app:list", args: {}, identity: null });
  if (!answer.ok) throw new Error(JSON.stringify(answer.body));
  return answer.body.result.map(({ subject }: Loose) => subject);
}

export default {
  async fetch(request: Request, env: Loose, context: Loose): Promise<Response> {
    switch (new URL(request.url).pathname) {
      case "/deliver":
        return deliver(request, env);
      case "/sent": {
        const all = sent.map((mail) => ({
          ...mail,
          attachments: mail.attachments?.map((file: Loose) => ({ ...file, content: [...file.content] })),
        }));
        sent = [];
        return Response.json(all);
      }
      case "/touched": {
        const count = touched;
        touched = 0;
        return Response.json(count);
      }
      case "/crossings":
        return Response.json(crossings);
      case "/subjects":
        return Response.json({ inside: await subjects(env.EU_SHARD), outside: await subjects(env.SHARD) });
      default:
        return worker.fetch(request, environment(env, "none"), context);
    }
  },
  async email(message: Loose, env: Loose, context: Loose): Promise<void> {
    const faulty = environment(env, message.headers.get("x-fault"));
    await worker.email?.(message, faulty, context);
    crossings = crossingsOf(faulty);
  },
};
