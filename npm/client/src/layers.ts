import { decodeValue } from "@lunora/protocol";

import { addLayer, newOverlay } from "./overlay.ts";
import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { OutboxEntry } from "./outbox.ts";
import type { MutatorApply, OptimisticUpdate } from "./types.ts";
import type { View } from "./view.ts";

/** An undecided mutation. */
export type Undecided = Omit<OutboxEntry, "seq" | "isTried">;

/** What undecided mutations show in advance, one upon the other, in the order of the outbox. */
export interface Layers {
  /** By the paths of their mutations. */
  readonly updates: Map<string, OptimisticUpdate<never>>;
  readonly mutators: Map<string, MutatorApply<never>>;
  overlay: Overlay;
  /** Whether all of them have to run again. */
  isStale: boolean;
  /** One is not over yet: what is in the overlay is not to be seen. */
  isApplying: boolean;
  add(entry: Undecided, update?: OptimisticUpdate<never>): void;
  /** Adds what is missing, for mutations that an earlier page or an earlier identity left. */
  addMissing(undecided: readonly Undecided[]): void;
  drop(entries: readonly Undecided[]): void;
  /** Brings the overlay up to date with what was touched; `touched` gets what it changes, and then `done` is called. */
  run(touched: Set<View>, done: () => void): void;
}

export function createLayers(host: LayerHost): Layers {
  let all: Layer[] = [];
  let fresh: Layer[] = [];

  /** One after the other; an async one holds up those behind it. */
  const addAll = (layers: Iterator<Layer>, touched: Set<View>, done: () => void): void => {
    for (let { value } = layers.next(); value; { value } = layers.next()) {
      const pending = addLayer(own.overlay, value, host, touched);
      if (!pending) continue;
      own.isApplying = true;
      void pending.then(() =>
        host.transact(() => {
          own.isApplying = false;
          addAll(layers, touched, done);
        }),
      );
      return;
    }
    done();
  };

  const own: Layers = {
    updates: new Map(),
    mutators: new Map(),
    overlay: newOverlay(),
    isStale: false,
    isApplying: false,
    add(entry, update = own.updates.get(entry.path)) {
      const apply = own.mutators.get(entry.path);
      if (!(update ?? apply) || all.some((layer) => layer.mutationId === entry.mutationId)) return;
      const layer: Layer = { ...entry, args: decodeValue(entry.args), update, apply };
      all.push(layer);
      fresh.push(layer);
    },
    addMissing(undecided) {
      for (const mutation of undecided) own.add(mutation);
      const place = new Map(undecided.map(({ mutationId }, index) => [mutationId, index]));
      all.sort((left, right) => (place.get(left.mutationId) ?? 0) - (place.get(right.mutationId) ?? 0));
      own.isStale = true;
    },
    drop(entries) {
      own.isStale ||= all.length > 0;
      all = all.filter((layer) => !entries.some(({ mutationId }) => mutationId === layer.mutationId));
    },
    run(touched, done) {
      let layers = fresh;
      fresh = [];
      if (own.isStale || (touched.size > 0 && all.length > 0)) {
        const { shapes, watched } = host;
        for (const view of [...own.overlay.results.keys(), ...(shapes?.touched(own.overlay, watched.all) ?? [])])
          touched.add(view);
        own.isStale = false;
        own.overlay = newOverlay();
        // Others may come while these are not over.
        layers = [...all];
      }
      addAll(layers.values(), touched, done);
    },
  };
  return own;
}
