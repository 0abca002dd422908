import { subscriptionKey } from "@lunora/protocol";

import type { OptimisticStore, PaginatedArgumentsOf, PaginatedReference, PageRowOf } from "./types.ts";

/** Where a page is in its list. */
export interface PagePlace {
  readonly isFirst: boolean;
  /** Nothing comes after it. */
  readonly isLast: boolean;
}

/**
 * Changes the loaded pages of a paginated query in an optimistic update. `update` gets the rows of a
 * page and returns what is to be shown: the same array where nothing changes. A row that is new
 * belongs into one of the pages alone.
 */
export function optimisticallyUpdatePages<Reference extends PaginatedReference>(
  store: OptimisticStore,
  reference: Reference,
  args: PaginatedArgumentsOf<Reference>,
  update: (rows: readonly PageRowOf<Reference>[], place: PagePlace) => readonly PageRowOf<Reference>[],
): void {
  const wanted = subscriptionKey(reference.path, args);
  for (const { args: all, value } of store.getAllQueries<PaginatedReference>(reference)) {
    const { paginationOpts, ...rest } = all;
    if (subscriptionKey(reference.path, rest) !== wanted) continue;
    const { cursor } = paginationOpts as { readonly cursor: string | null };
    const page = update(value.page, { isFirst: cursor === null, isLast: value.isDone });
    if (page !== value.page) store.setQuery<PaginatedReference>(reference, all, { ...value, page });
  }
}
