import type { MigrationRegistry } from "@lunora/server";

import type { SqlStorage } from "../sql.ts";
import type { ShardEngine } from "../shard-engine.ts";

/** What the admin part of a shard asks of its object. */
export interface ShardAdminHost {
  readonly sql: SqlStorage;
  /** The shard. */
  readonly engine: ShardEngine;
  /** Absent in an app without data migrations. */
  readonly migrations: MigrationRegistry | undefined;
  /** Epoch milliseconds. */
  now(): number;
  /** Synchronous; rolls back when it throws. */
  transactionSync<Result>(run: () => Result): Result;
  /** Resolves once everything written is on disk. */
  sync(): Promise<void>;
  /** Resolves once whatever has arrived at the object meanwhile was let in: waiting for the disk alone lets nobody in. */
  giveWay(): Promise<void>;
  /** Asks the registry's admin part. */
  registry<Answer>(operation: string, argument: unknown): Promise<Answer>;
  /** What is in memory says nothing of the rows any more: sockets are told to come back, and the next call opens anew. */
  reopen(): void;
}

/** The admin part of one shard. */
export interface ShardAdmin {
  /**
   * Asked before anything else reaches the shard; absent while nothing stands in the way. Rejects with
   * `IMPORT_IN_PROGRESS`. May have opened the shard anew when it resolves.
   */
  gate(): Promise<void> | undefined;
  /** Answers an operation with plain data. Throws coded errors. */
  run(operation: string, argument: unknown): Promise<unknown>;
}

/** What the admin part of the registry asks of its object. */
export interface RegistryAdminHost {
  readonly sql: SqlStorage;
  /** Epoch milliseconds. */
  now(): number;
  /** Synchronous; rolls back when it throws. */
  transactionSync<Result>(run: () => Result): Result;
}

/** The admin part of the registry. */
export interface RegistryAdmin {
  /** Throws `WRITES_PAUSED` while no shard may begin to exist. */
  beforeRegister(): void;
  run(operation: string, argument: unknown): unknown;
}

/** What answers admins inside objects. An app that leaves it out of its definition does not carry it. */
export interface AdminPart {
  shard(host: ShardAdminHost): ShardAdmin;
  registry(host: RegistryAdminHost): RegistryAdmin;
}
