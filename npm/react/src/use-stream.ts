import { useMemo } from "react";
import type { LunoraError, PublicReference, Store } from "@lunora/client";
import { stream } from "@lunora/client/streams";
import type { LiveStream, StreamSnapshot } from "@lunora/client/streams";
import { subscriptionKey } from "@lunora/protocol";
import type { ArgumentsOf, CallArguments, ResultOf } from "@lunora/protocol";

import { useLunora } from "./context.ts";
import { constantStore, useStore } from "./use-store.ts";

/** A stream as a component sees it: `skipped` while its arguments are `"skip"`. */
export interface StreamResult<Chunk = unknown> {
  readonly status: StreamSnapshot["status"] | "skipped";
  /** What has arrived so far. */
  readonly chunks: readonly Chunk[];
  /** Why `status` is `error`. */
  readonly error?: LunoraError;
  /** Runs it again when it has ended. */
  readonly restart: () => void;
}

type Snapshot<Chunk> = Omit<StreamResult<Chunk>, "restart">;

const CONNECTING: Snapshot<never> = { status: "connecting", chunks: [] };
const SKIPPED: Snapshot<never> = { status: "skipped", chunks: [] };
const skipped: Store<typeof SKIPPED> = constantStore(SKIPPED);

/**
 * Runs a stream while the component is there, and again when its arguments are others. Chunks render
 * as they arrive.
 */
export function useStream<Reference extends PublicReference<"stream">>(
  reference: Reference,
  ...[args]: {} extends ArgumentsOf<Reference>
    ? [args?: ArgumentsOf<Reference> | "skip"]
    : [args: ArgumentsOf<Reference> | "skip"]
): StreamResult<ResultOf<Reference>> {
  const client = useLunora();
  const key = args === "skip" ? undefined : subscriptionKey(reference.path, args ?? {});
  const live = useMemo(
    (): LiveStream<ResultOf<Reference>> | undefined =>
      key === undefined
        ? undefined
        : stream(client, reference, ...([args ?? {}] as unknown as CallArguments<Reference>)),
    // The key stands for the reference and the arguments.
    [client, key],
  );
  const snapshot = useStore<Snapshot<ResultOf<Reference>>>(live ?? skipped, live === undefined ? SKIPPED : CONNECTING);
  return useMemo(() => ({ ...snapshot, restart: () => live?.restart() }), [snapshot, live]);
}
