"use client";

export type { LiveArguments, LiveShapeArguments } from "./arguments.ts";
export type { CallStatus } from "./call-state.ts";
export { LunoraProvider, useLunora } from "./context.ts";
export type { LunoraProviderProps } from "./context.ts";
export type { PageRequest, PageResult, PaginationStatus } from "./paginated-query.ts";
export type { Preloaded } from "./preloaded.ts";
export { useAction } from "./use-action.ts";
export type { ActionHandle } from "./use-action.ts";
export type { CallHandle } from "./use-call.ts";
export { useConnectionStatus, usePendingCount } from "./use-connection.ts";
export { useMutation, useMutator } from "./use-mutation.ts";
export type { Mutate, MutationHandle, MutatorHandle } from "./use-mutation.ts";
export { usePaginatedQuery } from "./use-paginated-query.ts";
export type {
  PageRowOf,
  PaginatedArgumentsOf,
  PaginatedReference,
  PaginatedResult,
  PaginationOptions,
} from "./use-paginated-query.ts";
export { usePreloadedQuery } from "./use-preloaded-query.ts";
export { useQuery, useQueryResult } from "./use-query.ts";
export type { QueryResult } from "./use-query.ts";
export { useShape, useShapeResult } from "./use-shape.ts";
export type { ShapeResult } from "./use-shape.ts";
export { useSubscription } from "./use-subscription.ts";
