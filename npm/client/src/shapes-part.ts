import type { PokeEndFrame, PokePartFrame, PokeStartFrame, ShapeReference } from "@lunora/protocol";

import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { OpenPokes } from "./pokes.ts";
import type { LiveShape, ShapeOptions } from "./types.ts";
import type { OnUse, View, ViewEffect } from "./view.ts";

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
  /** Takes a frame; `done` gets what it made each view want. */
  receive(
    open: OpenPokes,
    frame: PokeStartFrame | PokePartFrame | PokeEndFrame,
    views: ReadonlyMap<string, View>,
    lastMutationId: number,
    done: (view: View, effects: readonly ViewEffect[]) => void,
  ): OpenPokes;
  /** Runs a mutator's client half. */
  apply(overlay: Overlay, layer: Layer, host: LayerHost, touched: Set<View>): void;
  /** The views that the overlay changes. */
  touched(overlay: Overlay, views: ReadonlyMap<string, View>): View[];
}
