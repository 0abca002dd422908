import { useEffect, useLayoutEffect, useRef } from "react";
import type { PublicReference, SubscriptionHandlers } from "@lunora/client";
import { subscriptionKey } from "@lunora/protocol";
import type { ArgumentsOf, ResultOf } from "@lunora/protocol";

import { useLunora } from "./context.ts";

/**
 * Tells each result of a query without rendering: for sounds, titles, logs. The newest handlers are
 * called; giving others does not subscribe again. Without `onError` an error is uncaught: the
 * page's `error` event tells it.
 */
export function useSubscription<Reference extends PublicReference<"query">>(
  reference: Reference,
  args: ArgumentsOf<Reference> | "skip",
  handlers: SubscriptionHandlers<ResultOf<Reference>> | ((data: ResultOf<Reference>) => void),
): void {
  const client = useLunora();
  const latest = useRef(handlers);
  const key = args === "skip" ? undefined : subscriptionKey(reference.path, args);
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (key === undefined) return;
    const subscription = client.subscribe(reference, args, {
      onData: (data: ResultOf<Reference>) => {
        const current = latest.current;
        if (typeof current === "function") current(data);
        else current.onData?.(data);
      },
      onError: (error) => {
        const current = latest.current;
        if (typeof current === "function" || current.onError === undefined) throwLater(error);
        else current.onError(error);
      },
    });
    return () => subscription.unsubscribe();
    // The key stands for the reference and the arguments.
  }, [client, key]);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
