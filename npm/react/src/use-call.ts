import { useCallback, useState } from "react";

import { CallState } from "./call-state.ts";
import type { CallStatus } from "./call-state.ts";
import { useStore } from "./use-store.ts";

const IDLE: CallStatus<never> = { pending: false, data: undefined, error: undefined };

/** How the calls through a hook stand. */
export interface CallHandle<Result> extends CallStatus<Result> {
  /** Forgets the result and the error. */
  readonly reset: () => void;
}

/** What {@link useCall} gives to the hooks for mutations, mutators and actions. */
export interface Calls<Result> extends CallHandle<Result> {
  /** Follows a call and returns it. Stays the same function. */
  readonly follow: (call: Promise<Result>) => Promise<Result>;
}

/** The state of the calls that a component makes through one hook. */
export function useCall<Result>(): Calls<Result> {
  const [state] = useState(() => new CallState<Result>());
  const status = useStore<CallStatus<Result>>(state, IDLE);
  const follow = useCallback(
    (call: Promise<Result>) => {
      state.follow(call);
      return call;
    },
    [state],
  );
  return { ...status, reset: state.reset, follow };
}
