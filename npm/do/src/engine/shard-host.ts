import type { Observer } from "@lunora/runtime";
import type { Environment } from "@lunora/server";

import type { AlarmHost } from "./shard-alarm.ts";
import type { SqlStorage } from "./sql.ts";

/** What the engine needs of the object it runs in. */
export interface ShardHost extends AlarmHost {
  readonly sql: SqlStorage;
  readonly env: Environment;
  /** The platform's id of the object, which the storage belongs to. */
  readonly objectId: string;
  /** Epoch milliseconds. */
  now(): number;
  /** Bytes of the storage. */
  databaseSize(): number;
  /** Synchronous; rolls back when it throws. */
  transactionSync<Result>(run: () => Result): Result;
  /**
   * Takes back what was written in this turn of the event loop. What a turn has written is committed
   * as one when it ends, without being asked for. The platform can do it only by resetting the object,
   * which is what callers are then told by.
   */
  discardTurn(reason: unknown): void;
  /** Runs in one transaction that no other event of the object runs beside; rolls back when it throws. */
  exclusiveTransaction<Result>(run: () => Promise<Result>): Promise<Result>;
  /** Resolves once everything written is on disk. */
  sync(): Promise<void>;
  /** Is told what happens; only development has one. */
  readonly observer?: Observer | undefined;
  /** Makes the object's name known to the registry. */
  register(name: string): Promise<void>;
}

export interface EngineOptions {
  /** How long a mutation may take, milliseconds; below the 30 s after which the platform resets the object. */
  readonly mutationDeadline?: number;
  /** How long a run of a live query may take, milliseconds. */
  readonly queryDeadline?: number;
  /** How long the import of a module of functions may take, milliseconds: the queue waits for it. */
  readonly importDeadline?: number;
  /** Characters of results that live queries hold together. */
  readonly liveResultsLength?: number;
  /** How long a socket may be open without `connect`, milliseconds. */
  readonly connectDeadline?: number;
  /** How long what changes of sockets may wait to be kept, milliseconds. */
  readonly saveDelay?: number;
  /** How long `authorizeShard` may take for a socket, milliseconds: the queue waits for it. */
  readonly ruleDeadline?: number;
  /** How long D1 may take for an answer about global tables, milliseconds. */
  readonly globalAnswerTime?: number;
}
