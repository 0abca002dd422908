import { useCallback } from "react";
import type { PublicReference } from "@lunora/client";
import type { CallArguments, ResultOf } from "@lunora/protocol";

import { useLunora } from "./context.ts";
import { useCall } from "./use-call.ts";
import type { CallHandle } from "./use-call.ts";

/** What {@link useAction} returns: the action as a function, and how its calls stand. */
export interface ActionHandle<Reference extends PublicReference<"action">> extends CallHandle<ResultOf<Reference>> {
  (...args: CallArguments<Reference>): Promise<ResultOf<Reference>>;
  /** The same as calling the handle, but one and the same function for the life of the component. */
  readonly call: (...args: CallArguments<Reference>) => Promise<ResultOf<Reference>>;
}

/** An action to call from this component. Never repeated by itself: what it does outside cannot be undone. */
export function useAction<Reference extends PublicReference<"action">>(reference: Reference): ActionHandle<Reference> {
  const client = useLunora();
  const { pending, data, error, reset, follow } = useCall<ResultOf<Reference>>();
  const call = useCallback(
    (...args: CallArguments<Reference>) => follow(client.action(reference, ...args)),
    [client, reference, follow],
  );
  return Object.assign((...args: CallArguments<Reference>) => call(...args), { call, pending, data, error, reset });
}
