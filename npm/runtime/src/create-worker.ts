import { LunoraError } from "@lunora/errors";
import { HEADERS, PATHS } from "@lunora/protocol";
import type { BatchResponse } from "@lunora/protocol";
import type { Environment, ExecutionLifetime, InboundMessage, LunoraDefinition } from "@lunora/server";

import { REAL_TIMERS } from "./call-object.ts";
import type { Timers } from "./call-object.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { Caller } from "./dispatcher.ts";
import { checkBatch, checkCall, checkName } from "./envelope-check.ts";
import type { CheckedCall } from "./envelope-check.ts";
import { FAN_OUT_LIMITS } from "./fan-out.ts";
import type { FanOutLimits } from "./fan-out.ts";
import { identityOf, withoutInternalHeaders } from "./identity.ts";
import { observer } from "./observer.ts";
import { BODY_BYTES, readJson } from "./read-json.ts";
import { failureOf, failureResponse, jsonResponse } from "./responses.ts";
import { findRoute } from "./route.ts";
import type { Route, RouteScope } from "./route.ts";
import type { ShardAnswer } from "./shard-protocol.ts";
import { upgradeSocket } from "./socket-upgrade.ts";

/** Every path below is ours. */
const RESERVED = "/_lunora";

export interface WorkerOptions {
  readonly fanOut?: Partial<FanOutLimits>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly timers?: Timers;
  /** Of the parts that not every app has. */
  readonly routes?: readonly Route[];
}

/** What a Worker's module exports by default. */
export interface Worker {
  fetch(request: Request, env: Environment, context: ExecutionLifetime): Promise<Response>;
  /** There when the app takes mails. */
  email?(message: InboundMessage, env: Environment, context: ExecutionLifetime): Promise<void>;
}

async function alive({ request, env }: RouteScope): Promise<Response> {
  return jsonResponse(request, env, 200, { ok: true });
}

async function ready(scope: RouteScope): Promise<Response> {
  await scope.dispatcher.probe();
  return alive(scope);
}

/** The Worker in front of an app's shards. */
export function createWorker(definition: LunoraDefinition, options: WorkerOptions = {}): Worker {
  const { app } = definition;
  const dispatching = {
    now: options.now ?? Date.now,
    timers: options.timers ?? REAL_TIMERS,
    fanOut: { ...FAN_OUT_LIMITS, ...options.fanOut },
  };
  const bodyBytes = app.limits?.bodyBytes ?? BODY_BYTES;

  async function callerOf({ request, env }: RouteScope): Promise<Caller> {
    const identity = await identityOf(app, request, env);
    const path = observer() === undefined ? undefined : new URL(request.url).pathname;
    return { identity, isTrusted: false, depth: 0, ...(path === undefined ? {} : { path }) };
  }

  async function rpc(scope: RouteScope): Promise<Response> {
    const { request, env, dispatcher } = scope;
    const call = withHeaders(checkCall(await readJson(request, bodyBytes)), request);
    const answer = await dispatcher.call(call, await callerOf(scope));
    return jsonResponse(request, env, answer.ok ? 200 : answer.status, answer.body);
  }

  async function batch(scope: RouteScope): Promise<Response> {
    const { request, env, dispatcher } = scope;
    const slots = checkBatch(await readJson(request, bodyBytes));
    const caller = await callerOf(scope);
    const calls = slots.flatMap(({ call }) => (call instanceof LunoraError ? [] : [call]));
    const answers = (await dispatcher.batch(calls, caller)).values();
    const results = slots.map(({ id, call }) => {
      const { body } = call instanceof LunoraError ? failureOf(call, id) : (answers.next().value as ShardAnswer);
      return { id, body };
    });
    const body: BatchResponse = { results };
    return jsonResponse(request, env, 200, body);
  }

  async function socket({ request, env }: RouteScope): Promise<Response> {
    return upgradeSocket(definition, request, env, dispatching);
  }

  const routes: readonly Route[] = [
    { path: PATHS.rpc, methods: ["POST"], handle: rpc },
    { path: PATHS.rpcBatch, methods: ["POST"], handle: batch },
    { path: PATHS.ws, methods: ["GET"], handle: socket },
    { path: PATHS.status, methods: ["GET", "HEAD"], handle: alive },
    { path: PATHS.health, methods: ["GET", "HEAD"], handle: alive },
    { path: PATHS.ready, methods: ["GET", "HEAD"], handle: ready },
    ...(options.routes ?? []),
  ];

  async function reserved(scope: RouteScope, path: string): Promise<Response> {
    const { request, env } = scope;
    try {
      const route = findRoute(routes, path);
      if (route === undefined) throw new LunoraError("NOT_FOUND", `there is nothing at \`${path}\``);
      if (!route.methods.includes(request.method)) {
        const allow = route.methods.join(", ");
        return refuse(
          request,
          env,
          new LunoraError("METHOD_NOT_ALLOWED", `\`${path}\` takes ${allow}, not ${request.method}`),
          { allow },
        );
      }
      return await route.handle(scope);
    } catch (error) {
      return refuse(request, env, error);
    }
  }

  async function handle(received: Request, env: Environment, context: ExecutionLifetime): Promise<Response> {
    const request = withoutInternalHeaders(received);
    const { pathname } = new URL(request.url);
    if (pathname === RESERVED || pathname.startsWith(`${RESERVED}/`)) {
      const dispatcher = new Dispatcher(definition, env, dispatching);
      return reserved(
        { request, env, context, definition, dispatcher, now: dispatching.now, timers: dispatching.timers },
        pathname,
      );
    }
    if (app.fetch === undefined)
      return refuse(request, env, new LunoraError("NOT_FOUND", `there is nothing at \`${pathname}\``));
    try {
      return await app.fetch(request, env, context);
    } catch (error) {
      return refuse(request, env, error);
    }
  }

  const { email } = app;
  return {
    ...(email && { email: async (message, env, context) => email(message, env, context, definition) }),
    async fetch(request, env, context) {
      const listening = observer();
      if (listening === undefined) return handle(request, env, context);
      const { pathname } = new URL(request.url);
      return listening.fetched(listening, pathname, dispatching.now, () => handle(request, env, context));
    },
  };
}

/** Answers what was thrown before anything was called. */
function refuse(...[request, env, error, headers]: Parameters<typeof failureResponse>): Response {
  const response = failureResponse(request, env, error, headers);
  observer()?.refused(response, error);
  return response;
}

/** Mutation and client id may come as headers; the envelope of a single call has none. */
function withHeaders(call: CheckedCall, { headers }: Request): CheckedCall {
  const mutationId = headers.get(HEADERS.mutationId);
  const clientId = headers.get(HEADERS.clientId);
  const clientSeq = headers.get(HEADERS.clientSequence);
  return {
    functionPath: call.functionPath,
    args: call.args,
    ...(call.shardKey === undefined ? {} : { shardKey: call.shardKey }),
    ...(mutationId === null ? {} : { mutationId: checkName(mutationId, HEADERS.mutationId) }),
    ...(clientId === null ? {} : { clientId: checkName(clientId, HEADERS.clientId) }),
    // What is no number is told by the shard, which knows the sequence.
    ...(clientSeq === null ? {} : { clientSeq: /^\d{1,16}$/.test(clientSeq) ? Number(clientSeq) : clientSeq }),
  };
}
