import { useMemo } from "react";
import type { LiveShape, LunoraError, RowOf, ShapeArguments, ShapeOptions, ShapeSnapshot, Store } from "@lunora/client";
import { subscriptionKey } from "@lunora/protocol";
import type { ShapeReference } from "@lunora/protocol";

import type { LiveShapeArguments } from "./arguments.ts";
import { useLunora } from "./context.ts";
import { constantStore, useStore } from "./use-store.ts";

/** A live shape as a component sees it: `skipped` while its arguments are `"skip"`. */
export interface ShapeResult<Row = unknown> {
  readonly status: ShapeSnapshot["status"] | "skipped";
  /** The same array until a row changes; rows that did not change are the same objects. */
  readonly rows: readonly Row[];
  /** Why `status` is `error`. */
  readonly error?: LunoraError;
  /** Whether `rows` has changes that the server has not confirmed. */
  readonly isOptimistic: boolean;
}

type Snapshot<Row> = Omit<ShapeSnapshot<Row>, "status"> & Pick<ShapeResult, "status">;

const NO_ROWS: ReadonlyMap<string, never> = new Map<string, never>();
const LOADING: Snapshot<never> = { status: "loading", rows: NO_ROWS, isOptimistic: false };
const SKIPPED: Snapshot<never> = { status: "skipped", rows: NO_ROWS, isOptimistic: false };
const skipped: Store<typeof SKIPPED> = constantStore(SKIPPED);

/**
 * The rows of a shape, kept up to date; `undefined` until they are there and while the arguments are
 * `"skip"`. What the server refuses is thrown, for the nearest error boundary.
 */
export function useShape<Reference extends ShapeReference>(
  reference: Reference,
  ...args: LiveShapeArguments<Reference>
): readonly RowOf<Reference>[] | undefined {
  const { status, rows, error } = useShapeResult(reference, ...args);
  if (status === "error") throw error;
  return status === "loading" || status === "skipped" ? undefined : rows;
}

/** As {@link useShape}, with the status, and with the error as a value. */
export function useShapeResult<Reference extends ShapeReference>(
  reference: Reference,
  ...[args, options]: [...LiveShapeArguments<Reference>, options?: ShapeOptions<RowOf<Reference>>]
): ShapeResult<RowOf<Reference>> {
  const client = useLunora();
  const key = args === "skip" ? undefined : subscriptionKey(reference.name, args ?? {});
  const store = useMemo(
    (): LiveShape<RowOf<Reference>> | typeof skipped =>
      key === undefined
        ? skipped
        : client.shape(reference, ...([args ?? {}, options] as unknown as ShapeArguments<Reference>)),
    // The key stands for the reference and the arguments.
    [client, key],
  );
  const { status, rows, error, isOptimistic } = useStore<Snapshot<RowOf<Reference>>>(
    store,
    store === skipped ? SKIPPED : LOADING,
  );
  const list = useMemo(() => [...rows.values()], [rows]);
  return { status, rows: list, isOptimistic, ...(error === undefined ? {} : { error }) };
}
