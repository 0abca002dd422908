import { canonicalJson } from "@lunora/protocol";

import type { Loose } from "./loose.ts";

/** What a client keeps of one shape. */
export interface ShapeView {
  readonly id: string;
  readonly shape: { readonly name: string; readonly args?: unknown };
  /** Canonical JSON of the wire form of each row. */
  readonly rows: Map<string, string>;
  checkpoint: number | undefined;
  epoch: string | undefined;
  version: string | undefined;
  error: Loose;
}

interface Poke {
  readonly start: Loose;
  readonly parts: Loose[];
}

/**
 * A client's side of section 7 of the protocol, written from its text alone and without any
 * optimism: what a frame means, and nothing about how to show it.
 */
export class ShapeViews {
  readonly views = new Map<string, ShapeView>();
  /** Views that have to be subscribed to again, from nothing. */
  readonly dropped = new Set<string>();
  /** How many parts reset a view. */
  resets = 0;
  pokes = 0;
  lastMutationId: number | undefined;
  #poke: Poke | undefined;

  /** The frame that subscribes; resumes when the view has something to resume. */
  subscribe(id: string, shape: ShapeView["shape"]): Loose {
    let view = this.views.get(id);
    if (view === undefined) {
      view = {
        id,
        shape,
        rows: new Map(),
        checkpoint: undefined,
        epoch: undefined,
        version: undefined,
        error: undefined,
      };
      this.views.set(id, view);
    }
    this.dropped.delete(id);
    const { checkpoint, epoch, version } = view;
    return checkpoint === undefined
      ? { id, shape }
      : { id, shape, sinceCheckpoint: checkpoint, sinceEpoch: epoch, sinceVersion: version };
  }

  /** The same views, for another future. */
  copy(): ShapeViews {
    const copy = new ShapeViews();
    for (const [id, view] of this.views) copy.views.set(id, { ...view, rows: new Map(view.rows) });
    for (const id of this.dropped) copy.dropped.add(id);
    return copy;
  }

  /** The socket is gone, and with it the poke that was being told. */
  disconnect(): void {
    this.#poke = undefined;
  }

  apply(frame: Loose): void {
    switch (frame.type) {
      case "pokeStart":
        if (this.#poke !== undefined) throw new Error("a poke inside a poke");
        this.#poke = { start: frame, parts: [] };
        break;
      case "pokePart":
        if (this.#poke?.start.pokeId !== frame.pokeId) throw new Error("a part of no poke");
        this.#poke?.parts.push(frame);
        break;
      case "pokeEnd":
        if (this.#poke?.start.pokeId !== frame.pokeId) throw new Error("the end of no poke");
        this.#end(this.#poke as Poke, frame);
        this.#poke = undefined;
        break;
      case "error": {
        const view = this.views.get(frame.id);
        if (view !== undefined) {
          this.#drop(view);
          this.dropped.delete(view.id);
          view.error = frame.error;
        }
        break;
      }
      default:
        throw new Error(`an unexpected ${String(frame.type)}`);
    }
  }

  #drop(view: ShapeView): void {
    view.rows.clear();
    view.checkpoint = undefined;
    view.epoch = undefined;
    view.version = undefined;
    this.dropped.add(view.id);
  }

  #end({ start, parts }: Poke, end: Loose): void {
    this.pokes += 1;
    const seen = new Set<string>();
    for (const part of parts) {
      const view = this.views.get(part.shapeId);
      if (view === undefined || this.dropped.has(part.shapeId)) continue;
      const isFirst = !seen.has(view.id);
      seen.add(view.id);
      if (part.reset === true) {
        if (!isFirst) throw new Error("a reset in the middle of a view's parts");
        this.resets += 1;
        view.rows.clear();
      } else if (
        isFirst &&
        ((part.baseCheckpoint !== undefined && part.baseCheckpoint !== view.checkpoint) || start.epoch !== view.epoch)
      ) {
        this.#drop(view);
        continue;
      }
      for (const { op, key, value } of part.rowsPatch) {
        if (op === "delete") view.rows.delete(key);
        else view.rows.set(key, canonicalJson(value));
      }
      if (part.version !== undefined) view.version = part.version;
      if (part.lastMutationId !== undefined) this.lastMutationId = part.lastMutationId;
    }
    for (const id of seen) {
      const view = this.views.get(id) as ShapeView;
      if (this.dropped.has(id)) continue;
      view.checkpoint = end.checkpoint;
      view.epoch = end.epoch;
    }
  }
}
