import { isLunoraError } from "@lunora/errors";
import type { Environment, Identity, SchemaDefinition } from "@lunora/server";

import type { Observer } from "./observer.ts";
import type { ShardAnswer } from "./shard-protocol.ts";

/** A call on its way through the Worker, while somebody listens. */
export interface RequestTrace {
  readonly observer: Observer;
  readonly call: string;
  /** Of the URL that it came by. */
  readonly path: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The one object that is asked. */
  object?: string;
  /** Shards that a fan-out has asked. */
  objects?: number;
}

/** Where the Worker runs and where objects are, when they are somewhere. */
function crossingOf(
  { pinnedJurisdiction }: SchemaDefinition,
  env: Environment,
): { from: string | null; to: string } | undefined {
  if (pinnedJurisdiction === undefined) return undefined;
  const region = env["LUNORA_REGION"];
  return { from: typeof region === "string" && region !== "" ? region : null, to: pinnedJurisdiction };
}

/** Tells of a call that was answered. */
export function tellRequest(
  { observer, call, path, since, object, objects }: RequestTrace,
  schema: SchemaDefinition,
  env: Environment,
  functionPath: string,
  identity: Identity | null,
  answer: ShardAnswer,
  now: number,
): void {
  const crossing = object === undefined && objects === undefined ? undefined : crossingOf(schema, env);
  observer.tell({
    type: "request",
    at: now,
    call,
    path,
    functionPath,
    ...(object === undefined ? {} : { object }),
    ...(objects === undefined ? {} : { objects }),
    userId: identity?.userId ?? null,
    status: answer.ok ? 200 : answer.status,
    ...(answer.ok ? {} : { code: answer.body.error.code }),
    ms: now - since,
    ...(crossing === undefined ? {} : { crossing }),
  });
}

/** Runs an action, and tells of it. `args` are wire-encoded. */
export async function observeAction<Result>(
  observer: Observer,
  call: string,
  functionPath: string,
  args: unknown,
  identity: Identity | null,
  now: () => number,
  run: () => Promise<Result>,
): Promise<Result> {
  const since = now();
  const around = observer.current()?.call;
  // What is called on behalf of a handler of the platform's events is the same call.
  const parent = around === call ? undefined : around;
  const tell = (outcome: string): void => {
    const at = now();
    const userId = identity?.userId ?? null;
    observer.tell({
      type: "call",
      at,
      object: null,
      call,
      kind: "action",
      functionPath,
      args,
      userId,
      outcome,
      ms: at - since,
      ...(parent === undefined ? {} : { parent }),
    });
  };
  try {
    const result = await observer.within({ call, functionPath }, run);
    tell("ok");
    return result;
  } catch (error) {
    tell(isLunoraError(error) ? error.code : "INTERNAL");
    throw error;
  }
}

/** Paths whose requests are not told: the inspector's own questions, and whoever asks whether the Worker is there. */
const UNTOLD = /^\/_lunora\/(?:admin|status|health|ready)(?:\/|$)/;

/** Paths whose calls are told by whoever makes them. */
const OF_CALLS = /^\/_lunora\/rpc(?:-batch)?$/;

/** Codes of requests that were refused before anything was called. */
const refusals = new WeakMap<Response, string>();

/** Says that the response refuses its request, and why. */
export function noteRefusal(response: Response, error: unknown): void {
  refusals.set(response, isLunoraError(error) ? error.code : "INTERNAL");
}

/** Answers a request, and tells of it unless it is one of calls. */
export async function observeFetch(
  observer: Observer,
  path: string,
  now: () => number,
  answer: () => Promise<Response>,
): Promise<Response> {
  if (UNTOLD.test(path)) return answer();
  const since = now();
  const call = observer.nextId();
  const isOfCalls = OF_CALLS.test(path);
  const response = await (isOfCalls ? answer() : observer.within({ call, functionPath: path }, answer));
  const code = refusals.get(response);
  if (isOfCalls && code === undefined) return response;
  const at = now();
  observer.tell({
    type: "request",
    at,
    call,
    path,
    userId: null,
    status: response.status,
    ...(code === undefined ? {} : { code }),
    ms: at - since,
  });
  return response;
}
