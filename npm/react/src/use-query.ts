import { useMemo } from "react";
import type { LiveQuery, LunoraError, PublicReference, QuerySnapshot, Store } from "@lunora/client";
import { subscriptionKey } from "@lunora/protocol";
import type { CallArguments, ResultOf } from "@lunora/protocol";

import type { LiveArguments } from "./arguments.ts";
import { useLunora } from "./context.ts";
import { constantStore, useStore } from "./use-store.ts";

/** A live query as a component sees it: `skipped` while its arguments are `"skip"`. */
export interface QueryResult<Data = unknown> {
  readonly status: QuerySnapshot["status"] | "skipped";
  /** The last result with optimistic changes on it. Absent until there is one. */
  readonly data?: Data;
  /** Why `status` is `error`. */
  readonly error?: LunoraError;
  /** Whether `data` has changes that the server has not confirmed. */
  readonly isOptimistic: boolean;
}

const LOADING: QueryResult<never> = { status: "loading", isOptimistic: false };
const SKIPPED: QueryResult<never> = { status: "skipped", isOptimistic: false };
const skipped: Store<typeof SKIPPED> = constantStore(SKIPPED);

/**
 * The query's result, kept up to date; `undefined` until it is there and while the arguments are
 * `"skip"`. What the server refuses is thrown, for the nearest error boundary. Renders again when
 * the result changes, never because equal arguments are another object.
 */
export function useQuery<Reference extends PublicReference<"query">>(
  reference: Reference,
  ...args: LiveArguments<Reference>
): ResultOf<Reference> | undefined {
  const { status, data, error } = useQueryResult(reference, ...args);
  if (status === "error") throw error;
  return data;
}

/** As {@link useQuery}, with the status, and with the error as a value. */
export function useQueryResult<Reference extends PublicReference<"query">>(
  reference: Reference,
  ...args: LiveArguments<Reference>
): QueryResult<ResultOf<Reference>> {
  const store = useLiveQuery(reference, args[0]);
  return useStore<QueryResult<ResultOf<Reference>>>(store, store === skipped ? SKIPPED : LOADING);
}

/** The client's store for the query: the same one as long as the arguments are equal. */
export function useLiveQuery<Reference extends PublicReference<"query">>(
  reference: Reference,
  args: unknown,
): LiveQuery<ResultOf<Reference>> | typeof skipped {
  const client = useLunora();
  const key = args === "skip" ? undefined : subscriptionKey(reference.path, args ?? {});
  return useMemo(
    () =>
      key === undefined
        ? skipped
        : client.liveQuery(reference, ...([args ?? {}] as unknown as CallArguments<Reference>)),
    // The key stands for the reference and the arguments.
    [client, key],
  );
}
