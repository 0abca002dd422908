import type { ClientFrame, ShapeReference, ShapeSubscribeFrame } from "@lunora/protocol";

import { callSafely } from "./observable.ts";
import type { Overlay } from "./overlay.ts";
import type { ChannelEffect, ChannelEvent } from "./extension.ts";
import { INITIAL_SHAPE, stepShape } from "./shape-state.ts";
import type { ShapeState } from "./shape-state.ts";
import type { LiveShape, ShapeChanges, ShapeSnapshot } from "./types.ts";
import { View } from "./view.ts";
import type { ViewPlace } from "./view.ts";

/** A shape that somebody looks at. */
export class ShapeView extends View<ShapeSnapshot> implements LiveShape {
  state: ShapeState = INITIAL_SHAPE;
  readonly table: string;
  /** Whether an optimistic row belongs to the shape. */
  matches: (row: never) => boolean;
  readonly #name: string;
  /** Not told yet. */
  readonly #changes: ShapeChanges[] = [];
  readonly #changeListeners = new Set<{ readonly listener: (changes: ShapeChanges) => void }>();
  #array: readonly unknown[] | undefined;

  constructor(place: ViewPlace, { name, table }: ShapeReference, matches: (row: never) => boolean) {
    super({ status: "loading", rows: INITIAL_SHAPE.rows, isOptimistic: false }, place);
    this.table = table;
    this.matches = matches;
    this.#name = name;
  }

  readonly getRows = (): readonly unknown[] => (this.#array ??= [...this.getSnapshot().rows.values()]);

  readonly getSyncedRows = (): ReadonlyMap<string, unknown> => this.state.rows;

  readonly subscribeChanges = (listener: (changes: ShapeChanges) => void): (() => void) => {
    const entry = { listener };
    this.#changeListeners.add(entry);
    const unsubscribe = this.subscribe(() => {});
    return () => {
      this.#changeListeners.delete(entry);
      unsubscribe();
    };
  };

  override tell(report: (error: unknown) => void): void {
    for (const changes of this.#changes.splice(0)) {
      for (const { listener } of Array.from(this.#changeListeners)) callSafely(() => listener(changes), report);
    }
  }

  openFrame(): ClientFrame {
    const { checkpoint: sinceCheckpoint, epoch: sinceEpoch, version: sinceVersion } = this.state;
    const since = sinceCheckpoint === undefined ? {} : { sinceCheckpoint, sinceEpoch, sinceVersion };
    const shape = { name: this.#name, args: this.args };
    return { type: "shape_subscribe", id: this.id, shape, ...since } as ShapeSubscribeFrame;
  }

  closeFrame(): ClientFrame {
    return { type: "shape_unsubscribe", id: this.id };
  }

  step(event: ChannelEvent): readonly ChannelEffect[] | undefined {
    const before = this.state;
    const [state, effects] = stepShape(before, event);
    this.state = state;
    const own: ChannelEffect[] = [];
    for (const effect of effects) {
      if (typeof effect === "string") own.push(effect);
      else this.#changes.push(effect);
    }
    // While a poke arrives there is nothing to be seen of it.
    const { rows, status, lastMutationId } = state;
    const isSame = rows === before.rows && status === before.status && lastMutationId === before.lastMutationId;
    return isSame && effects.length === 0 ? undefined : own;
  }

  publish(overlay: Overlay): boolean {
    const { status, rows: base, error, lastMutationId } = this.state;
    let rows = base as Map<string, unknown>;
    for (const [id, { row, seq }] of overlay.rows.get(tableKey(this.shard, this.table)) ?? []) {
      if (seq <= lastMutationId) continue;
      const isIn = row !== undefined && this.matches(row as never);
      if (!isIn && !rows.has(id)) continue;
      if (rows === base) rows = new Map(base);
      if (isIn) rows.set(id, row);
      else rows.delete(id);
    }
    const isChanged = this.setIfChanged({ status, rows, ...(error && { error }), isOptimistic: rows !== base });
    if (isChanged) this.#array = undefined;
    return isChanged;
  }
}

/** Names a table of a shard. */
export function tableKey(shard: string | undefined, table: string): string {
  return `${shard}\n${table}`;
}
