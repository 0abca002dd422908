import type { PublicReference } from "lunorash/client";
import type { CallArguments, ResultOf } from "lunorash/protocol";
import { useSyncExternalStore } from "react";
import { pollingClient } from "./client.js";
import { PolledQuery } from "./polled-query.js";
import type { QueryState } from "./polled-query.js";

/** Kept when nobody looks: who comes back sees what was there, then what is new. */
const queries = new Map<string, PolledQuery<unknown>>();

/** The answer to a query, asked again every second. */
export function useQuery<Reference extends PublicReference<"query">>(
  reference: Reference,
  ...rest: CallArguments<Reference>
): QueryState<ResultOf<Reference>> & { readonly refetch: () => Promise<void> } {
  const query = queryFor(reference, rest);
  return { ...useSyncExternalStore(query.subscribe, query.getState), refetch: query.refetch };
}

function queryFor<Reference extends PublicReference<"query">>(
  reference: Reference,
  rest: CallArguments<Reference>,
): PolledQuery<ResultOf<Reference>> {
  const key = `${reference.path} ${JSON.stringify(rest[0] ?? {})}`;
  let query = queries.get(key) as PolledQuery<ResultOf<Reference>> | undefined;
  if (query === undefined) {
    query = new PolledQuery((signal) => pollingClient.query(reference, ...withOptions(rest, { signal })));
    queries.set(key, query);
  }
  return query;
}

function withOptions<Reference extends PublicReference<"query">, Options>(
  rest: CallArguments<Reference>,
  options: Options,
): [...CallArguments<Reference>, Options] {
  return [rest[0] ?? {}, options] as unknown as [...CallArguments<Reference>, Options];
}

function refreshAll(): void {
  for (const query of queries.values()) query.refresh();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshAll();
});
import.meta.hot?.on("lunora:reloaded", refreshAll);
