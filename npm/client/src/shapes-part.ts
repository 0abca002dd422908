import type { ShapeReference } from "@lunora/protocol";

import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { LiveShape, ShapeOptions } from "./types.ts";
import type { View, ViewPlace } from "./view.ts";

/** Where shapes have their views. */
export interface ViewsOfShapes {
  /** The one view with this name, arguments and shard. */
  view(name: string, reference: Pick<ShapeReference, "address">, args: unknown, make: (place: ViewPlace) => View): View;
}

/** The part of a client that knows shapes and mutators; `shapes` of `@lunora/client/shapes`. */
export interface ShapesPart {
  /** The shape's shared view. */
  shape(
    views: ViewsOfShapes,
    reference: ShapeReference,
    args?: unknown,
    options?: ShapeOptions<never>,
  ): View & LiveShape;
  /** Runs a mutator's client half; a promise, that never rejects and settles soon, when it is not over yet. */
  apply(overlay: Overlay, layer: Layer, host: LayerHost, touched: Set<View>): Promise<void> | undefined;
  /** The views that the overlay changes. */
  touched(overlay: Overlay, views: ReadonlyMap<string, View>): View[];
}
