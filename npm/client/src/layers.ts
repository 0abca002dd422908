import { decodeValue } from "@lunora/protocol";

import { addLayer, newOverlay } from "./overlay.ts";
import type { Layer, LayerHost, Overlay } from "./overlay.ts";
import type { OutboxEntry } from "./outbox.ts";
import type { MutatorApply, OptimisticUpdate } from "./types.ts";
import type { View } from "./view.ts";

/** An undecided mutation. */
export type Undecided = Omit<OutboxEntry, "seq" | "isTried">;

/** What undecided mutations show in advance, one upon the other, in the order of the outbox. */
export class Layers {
  /** By the paths of their mutations. */
  readonly updates: Map<string, OptimisticUpdate<never>> = new Map();
  readonly mutators: Map<string, MutatorApply<never>> = new Map();
  overlay: Overlay = newOverlay();
  /** Whether all of them have to run again. */
  mustRebase = false;
  /** One is not over yet: what is in the overlay is not to be seen. */
  isApplying = false;
  readonly #host: LayerHost;
  #layers: Layer[] = [];
  #fresh: Layer[] = [];

  constructor(host: LayerHost) {
    this.#host = host;
  }

  add(entry: Undecided, update: OptimisticUpdate<never> | undefined = this.updates.get(entry.path)): void {
    const apply = this.mutators.get(entry.path);
    if (!(update ?? apply) || this.#layers.some((layer) => layer.mutationId === entry.mutationId)) return;
    const layer: Layer = { ...entry, args: decodeValue(entry.args), update, apply };
    this.#layers.push(layer);
    this.#fresh.push(layer);
  }

  /** Adds what is missing, for mutations that an earlier page or an earlier identity left. */
  addMissing(undecided: readonly Undecided[]): void {
    for (const mutation of undecided) this.add(mutation);
    const place = new Map(undecided.map(({ mutationId }, index) => [mutationId, index]));
    this.#layers.sort((left, right) => (place.get(left.mutationId) ?? 0) - (place.get(right.mutationId) ?? 0));
    this.mustRebase = true;
  }

  drop(entries: readonly Undecided[]): void {
    this.mustRebase ||= this.#layers.length > 0;
    this.#layers = this.#layers.filter((layer) => !entries.some(({ mutationId }) => mutationId === layer.mutationId));
  }

  /** Brings the overlay up to date with what was touched; `touched` gets what it changes, and then `done` is called. */
  run(touched: Set<View>, done: () => void): void {
    let layers: readonly Layer[] = this.#fresh;
    this.#fresh = [];
    if (this.mustRebase || (touched.size > 0 && this.#layers.length > 0)) {
      const { shapes, watched } = this.#host;
      for (const view of [...this.overlay.results.keys(), ...(shapes?.touched(this.overlay, watched.all) ?? [])])
        touched.add(view);
      this.mustRebase = false;
      this.overlay = newOverlay();
      // Others may come while these are not over.
      layers = [...this.#layers];
    }
    this.#addAll(layers.values(), touched, done);
  }

  /** One after the other; an async one holds up those behind it. */
  #addAll(layers: Iterator<Layer>, touched: Set<View>, done: () => void): void {
    for (let { value } = layers.next(); value; { value } = layers.next()) {
      const pending = addLayer(this.overlay, value, this.#host, touched);
      if (!pending) continue;
      this.isApplying = true;
      void pending.then(() => {
        this.isApplying = false;
        this.#addAll(layers, touched, done);
      });
      return;
    }
    done();
  }
}
