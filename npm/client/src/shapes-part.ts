import type { ShapeReference } from "@lunora/protocol";

import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { LiveShape, ShapeOptions } from "./types.ts";
import type { OnUse, View } from "./view.ts";

/** The part of a client that knows shapes and mutators; `shapes` of `@lunora/client/shapes`. */
export interface ShapesPart {
  view(
    reference: ShapeReference,
    args: unknown,
    key: string,
    shard: string | undefined,
    onUse: OnUse,
  ): View & LiveShape;
  configure(view: View, options: ShapeOptions<never>): void;
  /** Runs a mutator's client half; a promise, that never rejects and settles soon, when it is not over yet. */
  apply(overlay: Overlay, layer: Layer, host: LayerHost, touched: Set<View>): Promise<void> | undefined;
  /** The views that the overlay changes. */
  touched(overlay: Overlay, views: ReadonlyMap<string, View>): View[];
}
