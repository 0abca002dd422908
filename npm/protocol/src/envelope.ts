import { toErrorBody } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";

import { encodeValue } from "./encode-value.ts";

// What every page needs of the lists below has a name of its own: a page that uses one entry of an object carries all of it.

export const RPC_PATH = "/_lunora/rpc";
export const SOCKET_PATH = "/_lunora/ws";
export const MUTATION_ID_HEADER = "x-lunora-mutation-id";

/** Reserved paths of the Worker. */
export const PATHS = {
  rpc: RPC_PATH as typeof RPC_PATH,
  rpcBatch: "/_lunora/rpc-batch",
  /** WebSocket; `?shard=` is the object's name, the root when it is left out. */
  ws: SOCKET_PATH as typeof SOCKET_PATH,
  /** WebSocket of a room; `?path=` names the kind of room, `?room=` the room. */
  presence: "/_lunora/presence",
  status: "/_lunora/status",
  health: "/_lunora/health",
  ready: "/_lunora/health/ready",
} as const;

/** Names of headers, as they are read and written. */
export const HEADERS = {
  authorization: "authorization",
  mutationId: MUTATION_ID_HEADER as typeof MUTATION_ID_HEADER,
  clientId: "x-lunora-client-id",
  clientSequence: "x-lunora-client-seq",
  region: "x-lunora-region",
  /** Server-internal: copies that a client sends are removed. */
  userId: "x-lunora-userid",
  /** Server-internal: copies that a client sends are removed. */
  identity: "x-lunora-identity",
} as const;

/** Most calls in one batch. */
export const MAX_BATCH_CALLS = 500;

/** Body of `POST /_lunora/rpc`. */
export interface RpcRequest {
  /** `file:export` */
  readonly functionPath: string;
  /** Wire-encoded; an object. */
  readonly args: unknown;
  /** The bare shard value; must agree with the function's address. */
  readonly shardKey?: string;
}

/** A call that succeeded. */
export interface RpcSuccess {
  /** Wire-encoded; missing when the function returned `undefined`. */
  readonly result?: unknown;
  readonly commitCursor?: number;
  readonly lastMutationId?: number;
}

/** A call that failed; the status is not 2xx. `error.data` is wire-encoded. */
export interface RpcFailure {
  readonly error: ErrorBody;
}

export type RpcResponse = RpcSuccess | RpcFailure;

/** One call of a batch. */
export interface BatchCall extends RpcRequest {
  /** Names the call's slot in the answer; its position when left out. */
  readonly id?: string;
  readonly mutationId?: string;
  readonly clientId?: string;
}

/** Body of `POST /_lunora/rpc-batch`: at most {@link MAX_BATCH_CALLS} calls. */
export interface BatchRequest {
  readonly calls: readonly BatchCall[];
}

/** The answer to one call of a batch. */
export interface BatchSlot {
  readonly id: string;
  readonly body: RpcResponse;
}

export interface BatchResponse {
  readonly results: readonly BatchSlot[];
}

/** The answer for whatever was thrown: redacted, `data` encoded. */
export function encodeFailure(thrown: unknown): { readonly status: number; readonly body: RpcFailure } {
  const { status, body } = toErrorBody(thrown);
  if (body.data === undefined) return { status, body: { error: body } };
  let data: unknown;
  try {
    data = encodeValue(body.data);
  } catch (unsupported) {
    return encodeFailure(new Error("The data of a coded error cannot travel", { cause: unsupported }));
  }
  return { status, body: { error: { ...body, data } } };
}
