export { batchCall } from "./batch.ts";
export type { BatchEntry, BatchResults, PublicReference, Settled } from "./batch.ts";
export { LunoraClient } from "./client.ts";
export type { AuthToken, CallOptions, LunoraClientOptions, MutationOptions } from "./client.ts";
export type { ClientEnvironment, ClientLocks, ClientSocket } from "./environment.ts";
export { indexedDbStorage } from "./indexed-db.ts";
export type { RetryPolicy } from "./retry.ts";
export { memoryStorage } from "./storage.ts";
export type { ClientStorage, StorageChange } from "./storage.ts";
export type {
  ConnectionStatus,
  LiveQuery,
  LiveShape,
  LiveStatus,
  MutatorApply,
  MutatorContext,
  MutatorDatabase,
  MutatorRow,
  OptimisticStore,
  OptimisticUpdate,
  QuerySnapshot,
  RowOf,
  SettledMutation,
  ShapeArguments,
  ShapeArgumentsOf,
  ShapeChanges,
  ShapeOptions,
  ShapeSnapshot,
  Store,
  Subscription,
  SubscriptionHandlers,
} from "./types.ts";
export { isLunoraError, LunoraError } from "@lunora/errors";
