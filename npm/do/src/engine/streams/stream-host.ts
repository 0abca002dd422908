import type { ErrorBody } from "@lunora/errors";
import type { StreamFrame } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity, StreamDurability } from "@lunora/server";

import type { ShardParts } from "../shard-hosts.ts";
import type { SocketConnection } from "../sockets/socket-connection.ts";
import type { SqlStorage } from "../sql.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** A generator that has been made. */
export interface OpenedStream {
  readonly iterable: AsyncIterable<unknown>;
  /** Ends its `ctx`. */
  close(): void;
}

/** What streams need of their shard. */
export interface StreamHost {
  /** What the app says of them. */
  readonly limits: Partial<StreamLimits> | undefined;
  /** For what streams keep; what functions read goes another way. */
  readonly storage: SqlStorage;
  /** Epoch milliseconds. */
  now(): number;
  /** A name that no other has. */
  newName(): string;
  /** Runs once, after so many milliseconds, unless what it answers is called before. */
  later(milliseconds: number, run: () => void): () => void;
  /** Throws `FUNCTION_NOT_FOUND`, `BAD_REQUEST`, `SHARD_MISMATCH`. */
  entry(functionPath: string, args: unknown): FunctionRegistryEntry;
  /** Throws `FORBIDDEN_SHARD`. */
  authorize(connection: SocketConnection, functionPath: string): Promise<void>;
  /** What the declaration says of keeping chunks. */
  durability(functionPath: string, entry: FunctionRegistryEntry): Promise<StreamDurability | undefined>;
  /** Makes the generator; nothing of it has run, but its middleware. */
  open(
    functionPath: string,
    entry: FunctionRegistryEntry,
    args: unknown,
    identity: Identity | null,
    signal: AbortSignal,
  ): Promise<OpenedStream>;
  /** Sends what is queued for sockets. */
  deliver(): void;
  /** The stream is over for this subscriber, who has been told. */
  ended(connection: SocketConnection, id: string): void;
  /** Something of a durable stream expires then. */
  wakeAt(time: number): void;
  /** An error as callers may see it; what is redacted is logged under the name. */
  failure(name: string, error: unknown): ErrorBody;
}

/** The streams of a shard. In the definition of apps that have any. */
export interface StreamPart {
  /**
   * Begins, joins or resumes. Rejects with the error to tell. Resolves to what keeps the object
   * awake: a promise that settles when nothing of it goes on any more.
   */
  open(connection: SocketConnection, frame: StreamFrame, isWanted: () => boolean): Promise<{ over: Promise<void> }>;
  /** The subscriber wants no more. */
  leave(connection: SocketConnection, id: string): void;
  /** The socket is gone. */
  close(connection: SocketConnection): void;
  /** When the next chunks expire, epoch milliseconds; `null` when none do. */
  nextExpiry(): number | null;
  /** One bounded pass over expired chunks; when the next is due. */
  sweep(now: number): number | null;
}

/** Makes the streams of one shard. */
export type StreamFactory = (parts: ShardParts) => StreamPart;
