import { useCallback } from "react";
import type { LunoraClient, OptimisticUpdate, PublicReference } from "@lunora/client";
import type { ArgumentsOf, CallArguments, ResultOf } from "@lunora/protocol";

import { useLunora } from "./context.ts";
import { useCall } from "./use-call.ts";
import type { CallHandle, Calls } from "./use-call.ts";

type Mutation = PublicReference<"mutation">;

/** Runs the mutation. Rejects with what the server refused it for; waits, also offline, until it is decided. */
export type Mutate<Reference extends Mutation> = (...args: CallArguments<Reference>) => Promise<ResultOf<Reference>>;

/** What {@link useMutation} returns: the mutation as a function, and how its calls stand. */
export interface MutationHandle<Reference extends Mutation> extends Mutate<Reference>, CallHandle<ResultOf<Reference>> {
  /** The same as calling the handle, but one and the same function for the life of the component. */
  readonly mutate: Mutate<Reference>;
  /** The mutation with the expected outcome shown at once, taken back when it is refused. */
  readonly withOptimisticUpdate: (update: OptimisticUpdate<ArgumentsOf<Reference>>) => MutationHandle<Reference>;
}

/** What {@link useMutator} returns. */
export interface MutatorHandle<Reference extends Mutation> extends Mutate<Reference>, CallHandle<ResultOf<Reference>> {
  /** The same as calling the handle, but one and the same function for the life of the component. */
  readonly mutate: Mutate<Reference>;
}

/** A mutation to call from this component. */
export function useMutation<Reference extends Mutation>(reference: Reference): MutationHandle<Reference> {
  const client = useLunora();
  const calls = useCall<ResultOf<Reference>>();
  const { follow } = calls;
  const mutate = useCallback(
    (...args: CallArguments<Reference>) => follow(run(client, reference, args)),
    [client, reference, follow],
  );
  return mutationHandle(mutate, calls, (update, args) => follow(run(client, reference, args, update)));
}

/** A mutator to call from this component: its client half runs at once over the shapes. */
export function useMutator<Reference extends Mutation>(reference: Reference): MutatorHandle<Reference> {
  const client = useLunora();
  const calls = useCall<ResultOf<Reference>>();
  const { follow } = calls;
  const mutate = useCallback(
    (...args: CallArguments<Reference>) => follow(client.mutate(reference, ...args)),
    [client, reference, follow],
  );
  return Object.assign((...args: CallArguments<Reference>) => mutate(...args), stateOf(calls), { mutate });
}

function run<Reference extends Mutation>(
  client: LunoraClient,
  reference: Reference,
  [args]: CallArguments<Reference>,
  optimisticUpdate?: OptimisticUpdate<ArgumentsOf<Reference>>,
): Promise<ResultOf<Reference>> {
  const options = optimisticUpdate === undefined ? {} : { optimisticUpdate };
  return client.mutation(reference, ...([args ?? {}, options] as unknown as CallArguments<Reference>));
}

function mutationHandle<Reference extends Mutation>(
  mutate: Mutate<Reference>,
  calls: Calls<ResultOf<Reference>>,
  mutateWith: (
    update: OptimisticUpdate<ArgumentsOf<Reference>>,
    args: CallArguments<Reference>,
  ) => Promise<ResultOf<Reference>>,
): MutationHandle<Reference> {
  // A new function each time: whoever memoises on the handle sees that its state changed.
  return Object.assign((...args: CallArguments<Reference>) => mutate(...args), stateOf(calls), {
    mutate,
    withOptimisticUpdate: (update: OptimisticUpdate<ArgumentsOf<Reference>>) =>
      mutationHandle<Reference>((...args) => mutateWith(update, args), calls, mutateWith),
  });
}

function stateOf<Result>({ pending, data, error, reset }: Calls<Result>): CallHandle<Result> {
  return { pending, data, error, reset };
}
