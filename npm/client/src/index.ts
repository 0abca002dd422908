export { LunoraClient } from "./client.ts";
export type { AuthToken, CallOptions, LunoraClientOptions, MutationOptions } from "./client.ts";
export type { ClientEnvironment, ClientLocks, ClientSocket } from "./environment.ts";
export type { Channel, ChannelEffect, ChannelEvent, Extension, ExtensionHost } from "./extension.ts";
export type { OfflinePart } from "./offline-part.ts";
export type { RetryPolicy } from "./retry.ts";
export type {
  ConnectionStatus,
  LiveQuery,
  LiveShape,
  LiveStatus,
  MutatorApply,
  MutatorContext,
  MutatorDatabase,
  MutatorRow,
  PageResult,
  PageRowOf,
  PaginatedArgumentsOf,
  PaginatedReference,
  OptimisticStore,
  OptimisticUpdate,
  PublicReference,
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
export { CodedError as LunoraError, isLunoraError } from "@lunora/errors";
