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
  const tell = (outcome: string): void => {
    const at = now();
    const userId = identity?.userId ?? null;
    const ms = at - since;
    observer.tell({ type: "call", at, object: null, call, kind: "action", functionPath, args, userId, outcome, ms });
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
const UNTOLD = /^\/_lunora\/(?:admin|status|health|ready|rpc)(?:\/|$)/;

/** Answers a request that is no call, and tells of it. */
export async function observeFetch(
  observer: Observer,
  path: string,
  now: () => number,
  answer: () => Promise<Response>,
): Promise<Response> {
  if (UNTOLD.test(path) || path === "/_lunora/rpc-batch") return answer();
  const since = now();
  const call = observer.nextId();
  const response = await observer.within({ call, functionPath: path }, answer);
  const at = now();
  observer.tell({ type: "request", at, call, path, userId: null, status: response.status, ms: at - since });
  return response;
}
