import type { CallArguments, FunctionReference, ResultOf } from "@lunora/protocol";

import type { DataModelOf } from "./data-model.ts";
import type { DatabaseReader, DatabaseWriter } from "./database.ts";
import type { Scheduler } from "./scheduler.ts";

/** Who calls: what `resolveIdentity` answered. */
export interface Identity {
  readonly userId: string;
  /** When the token expires, epoch milliseconds: past it sockets are closed. */
  readonly expiresAt?: number;
  readonly [claim: string]: unknown;
}

/** `ctx.auth` */
export interface Auth {
  /** `null` when nobody is signed in. */
  readonly userId: string | null;
  getIdentity(): Promise<Identity | null>;
}

/** `ctx.log`: structured lines that carry the function's path. */
export interface Logger {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
}

/** `ctx.env`: the Worker's bindings and variables. Apps may merge their own names into it. */
export interface Environment {
  readonly [binding: string]: unknown;
}

/** Calls a query; inside a query or mutation it runs in the same shard and transaction. */
export type RunQuery = <Reference extends FunctionReference<"query">>(
  reference: Reference,
  ...args: CallArguments<Reference>
) => Promise<ResultOf<Reference>>;

/** Calls a mutation; inside a mutation it joins the caller's transaction. */
export type RunMutation = <Reference extends FunctionReference<"mutation">>(
  reference: Reference,
  ...args: CallArguments<Reference>
) => Promise<ResultOf<Reference>>;

/** Calls an action. */
export type RunAction = <Reference extends FunctionReference<"action">>(
  reference: Reference,
  ...args: CallArguments<Reference>
) => Promise<ResultOf<Reference>>;

/** What every kind of function gets. */
export interface BaseCtx {
  readonly auth: Auth;
  /** Epoch milliseconds, read once for each call. */
  readonly now: number;
  readonly log: Logger;
  /** What `.meta()` declared. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  readonly runQuery: RunQuery;
}

/** `ctx` of a query. */
export interface QueryCtx<Model extends DataModelOf<Model>> extends BaseCtx {
  readonly db: DatabaseReader<Model>;
}

/** `ctx` of a mutation: one transaction. */
export interface MutationCtx<Model extends DataModelOf<Model>> extends BaseCtx {
  readonly db: DatabaseWriter<Model>;
  readonly runMutation: RunMutation;
  /** What it schedules is held until the mutation commits, and dropped when it does not. */
  readonly scheduler: Scheduler;
  /** The job that this call is, the same in every attempt; absent in a call that nobody scheduled. */
  readonly jobId?: string;
}

/** `ctx` of an action: runs in the Worker, outside any transaction, and reaches data through functions. */
export interface ActionCtx<Model extends DataModelOf<Model>> extends BaseCtx {
  readonly runMutation: RunMutation;
  readonly runAction: RunAction;
  readonly scheduler: Scheduler;
  /** The job that this call is, the same in every attempt; absent in a call that nobody scheduled. */
  readonly jobId?: string;
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Never present at run time: keeps the data model in the type. */
  readonly "~model"?: Model;
}

/** `ctx` of a stream: that of a query, and the way outside. `now` is when the stream began. */
export type StreamCtx<Ctx> = Ctx & {
  /** What comes from outside is in no transaction. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
};
