import { useMemo } from "react";
import type { PublicReference } from "@lunora/client";
import { canonicalJson, decodeValue } from "@lunora/protocol";
import type { ResultOf } from "@lunora/protocol";

import { preloadedResult, referenceOf } from "./preloaded.ts";
import type { Preloaded } from "./preloaded.ts";
import { useLiveQuery } from "./use-query.ts";
import type { QueryResult } from "./use-query.ts";
import { useStore } from "./use-store.ts";

/**
 * A query that a server has preloaded: its result from the first render on, in the page as on the
 * server, and live from there. The preloaded result is shown until the live one is there, so nothing
 * flashes. What the server refuses later is thrown, for the nearest error boundary.
 */
export function usePreloadedQuery<Reference extends PublicReference<"query">>(
  preloaded: Preloaded<Reference>,
): ResultOf<Reference> {
  const key = canonicalJson([preloaded.path, preloaded.args, preloaded.value]);
  const { reference, args, initial } = useMemo(
    () => ({
      reference: referenceOf(preloaded),
      args: decodeValue(preloaded.args),
      initial: {
        status: "stale",
        data: preloadedResult(preloaded),
        isOptimistic: false,
      } satisfies QueryResult<ResultOf<Reference>>,
    }),
    // The key stands for all that is preloaded.
    [key],
  );
  const live = useStore<QueryResult<ResultOf<Reference>>>(useLiveQuery(reference, args), initial);
  if (live.status === "error") throw live.error;
  return live.status === "loading" ? initial.data : (live.data as ResultOf<Reference>);
}
