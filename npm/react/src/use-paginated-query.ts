import { useMemo } from "react";
import type {
  LunoraClient,
  PageRowOf,
  PaginatedArgumentsOf,
  PaginatedReference,
  PublicReference,
  Store,
} from "@lunora/client";
import { subscriptionKey } from "@lunora/protocol";
import type { CallArguments } from "@lunora/protocol";

import { useLunora } from "./context.ts";
import { PaginatedQuery } from "./paginated-query.ts";
import type { PaginatedState, PaginationStatus, WatchedPage } from "./paginated-query.ts";
import { constantStore, useStore } from "./use-store.ts";

/** What {@link usePaginatedQuery} returns. */
export interface PaginatedResult<Row> {
  /** The rows of all loaded pages, in order: no gap and no row twice, whatever comes and goes. */
  readonly results: readonly Row[];
  readonly status: PaginationStatus;
  /** The first page, or a further one, is on its way. */
  readonly isLoading: boolean;
  /** Asks for the next rows; `false` when there is nothing to ask for now. */
  readonly loadMore: (numItems: number) => boolean;
  /** Begins again with the first page. */
  readonly reset: () => void;
}

export interface PaginationOptions {
  /** Rows in the first page, at least 1. */
  readonly initialNumItems: number;
}

const NOTHING: PaginatedState<never> = { results: [], status: "LoadingFirstPage", error: undefined };
const nothing = { ...constantStore(NOTHING), loadMore: () => false, reset: () => {} };

/**
 * Pages of a live query. Loaded pages grow and shrink between their ends as rows come and go, so
 * that they keep fitting together. What the server refuses is thrown, for the nearest error boundary.
 */
export function usePaginatedQuery<Reference extends PaginatedReference>(
  reference: Reference,
  args: PaginatedArgumentsOf<Reference> | "skip",
  { initialNumItems }: PaginationOptions,
): PaginatedResult<PageRowOf<Reference>> {
  const client = useLunora();
  const key = args === "skip" ? undefined : subscriptionKey(reference.path, args);
  const query = useMemo(
    () =>
      key === undefined
        ? nothing
        : new PaginatedQuery<PageRowOf<Reference>>(
            (request) => watchPage(client, reference, { ...(args as object), paginationOpts: request }),
            initialNumItems,
          ),
    // The key stands for the reference and the arguments; another first size matters to a new list only.
    [client, key],
  );
  const { results, status, error } = useStore<PaginatedState<PageRowOf<Reference>>>(query, NOTHING);
  if (error !== undefined) throw error;
  return {
    results,
    status,
    isLoading: status === "LoadingFirstPage" || status === "LoadingMore",
    loadMore: query.loadMore,
    reset: query.reset,
  };
}

function watchPage<Row>(
  client: LunoraClient,
  reference: PublicReference<"query">,
  args: object,
): Store<WatchedPage<Row>> {
  // The rows' type is what the reference says of the result's.
  return client.liveQuery(reference, ...([args] as unknown as CallArguments<typeof reference>)) as Store<
    WatchedPage<Row>
  >;
}
