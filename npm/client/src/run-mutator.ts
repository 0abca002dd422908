import { CodedError } from "@lunora/errors";

import { openMutatorRun } from "./mutator-database.ts";
import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { View } from "./view.ts";

/** So many microtasks a client half may take: what awaits its `db` alone is over long before. */
const MAX_MICROTASKS = 1_000;

/**
 * Runs the client half of a mutator, if the layer has one. A promise, which never rejects, where it
 * is not over yet: nothing may be shown before it has settled, and it does in this turn of the event
 * loop.
 */
export function runMutator(
  overlay: Overlay,
  layer: Layer,
  host: LayerHost,
  touched: Set<View>,
): Promise<void> | undefined {
  const { apply, args, path, mutationId, at } = layer;
  if (!apply) return undefined;
  const { db, isLast, close } = openMutatorRun(overlay, layer, host, touched);
  try {
    const result = apply({ db, mutationId, now: at }, args as never);
    if (isPromise(result) && !isLast(result)) return wait(result, path, host).finally(close);
  } catch (error) {
    host.report(error);
  }
  close();
  return undefined;
}

async function wait(result: PromiseLike<unknown>, path: string, { report }: LayerHost): Promise<void> {
  const run = { isOver: false };
  const end = (): void => void (run.isOver = true);
  result.then(end, (error: unknown) => {
    end();
    report(error);
  });
  for (let count = 0; count < MAX_MICROTASKS && !run.isOver; count++) await undefined;
  if (run.isOver) return;
  const hint = "Await nothing but `db` in `apply`: what takes time belongs to the server half.";
  report(new CodedError("MUTATION_TIMEOUT", 504, `The client half of \`${path}\` does not end`, { hint }));
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
