import type { RpcFailure, RpcSuccess } from "@lunora/protocol";

/** One call as the Worker hands it to an object. The Worker has decided who calls and that they may. */
export interface ShardCall {
  /** Name of the object, so that it knows itself and can refuse calls meant for another. */
  readonly object: string;
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
  /** Wire-encoded; `null` for nobody. */
  readonly identity: unknown;
  /** Mutations with the same id and caller happen once. */
  readonly mutationId?: string;
  /** The mutation is a job of the scheduler: it happens once without a limit of time, until the job is forgotten. */
  readonly jobId?: string;
  /** Tells callers without identity apart. */
  readonly clientId?: string;
  /** The place in the client's sequence, unchecked; counts only with a client id. */
  readonly clientSeq?: unknown;
  /** What an observer knows the call by; absent when nobody listens. */
  readonly call?: string;
  /** What an observer knows the call by that makes this one. */
  readonly parent?: string;
}

/** What an object answers: errors are values, and redacted already. */
export type ShardAnswer =
  | { readonly ok: true; readonly body: RpcSuccess }
  | { readonly ok: false; readonly status: number; readonly body: RpcFailure };

/** An operation of an admin, as the Worker hands it to an object. Arguments and answers are plain JSON. */
export interface AdminCall {
  /** Name of the object, so that it knows itself. */
  readonly object: string;
  readonly operation: string;
  readonly argument: unknown;
}

/** What an object answers an admin. */
export type AdminAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: number; readonly body: RpcFailure };

/** What admins ask of objects. */
export interface AdminMethods {
  admin(call: AdminCall): Promise<AdminAnswer>;
}

/** What the Worker asks of a shard. */
export interface ShardMethods {
  call(call: ShardCall): Promise<ShardAnswer>;
  /** In order; one that fails does not keep the next from running. */
  batch(calls: readonly ShardCall[]): Promise<ShardAnswer[]>;
}

/** A page of the names of shards. */
export interface RegistryPage {
  readonly names: readonly string[];
  /** Where the next page starts; `null` after the last. */
  readonly cursor: string | null;
}

/** What is asked of the registry. */
export interface RegistryMethods {
  /** Resolves once the name is stored. */
  register(name: string): Promise<void>;
  /** When the shard became known, epoch milliseconds; `null` for one that never was: nothing was ever written there. */
  registeredAt(name: string): Promise<number | null>;
  /** Names in byte order; only shards of the field when one is given. */
  list(options: {
    readonly field?: string;
    readonly cursor?: string | null;
    readonly limit?: number;
  }): Promise<RegistryPage>;
}

/** The one registry of a namespace. */
export const REGISTRY_OBJECT = "__lunora_shard_registry__";

/** Bindings of the Worker. */
export const BINDINGS = { shard: "SHARD", registry: "SHARD_REGISTRY", session: "SESSION" } as const;
