import { useCallback, useSyncExternalStore } from "react";
import type { Store } from "@lunora/client";

/** The store's value, read so that one render sees one value. `initial` is what servers render and hydration begins with. */
export function useStore<Value>(store: Store<Value>, initial: Value): Value {
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  return useSyncExternalStore(
    subscribe,
    () => store.getSnapshot(),
    () => initial,
  );
}

/** A store that stays as it is: what a skipped hook watches. */
export function constantStore<Value>(value: Value): Store<Value> {
  return { subscribe: () => () => {}, getSnapshot: () => value };
}
