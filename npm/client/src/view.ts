import type { ClientFrame } from "@lunora/protocol";

import type { Channel, ChannelEffect, ChannelEvent } from "./extension.ts";
import { Observable } from "./observable.ts";
import type { Overlay } from "./overlay.ts";

/** Called when a view gets its first listener, or loses its last one. */
export type OnUse = (view: View, isUsed: boolean) => void;

/** What a view is made of, whatever it shows. */
export interface ViewPlace {
  /** The path of a query, or the name of a shape. */
  readonly name: string;
  readonly key: string;
  /** The name of the object it belongs to; `undefined`: it cannot be live. */
  readonly shard: string | undefined;
  /** Wire-encoded. */
  readonly args: unknown;
  readonly onUse: OnUse;
}

/** Something of one shard that somebody looks at: what the server told, and what is shown. */
export abstract class View<Snapshot = unknown> extends Observable<Snapshot> implements Channel {
  declare readonly name: string;
  declare readonly key: string;
  /** The name of the object it belongs to; `undefined`: it cannot be live. */
  declare readonly shard: string | undefined;
  /** Of the subscription, anew for each; empty while there is none. */
  id = "";
  /** `strikes`: times in a row that it had to be read afresh. */
  abstract readonly state: { readonly strikes: number };
  /** Wire-encoded. */
  declare readonly args: unknown;
  declare readonly onUse: OnUse;

  constructor(snapshot: Snapshot, place: ViewPlace) {
    super(snapshot);
    Object.assign(this, place);
  }

  abstract openFrame(): ClientFrame;
  abstract closeFrame(): ClientFrame;
  /** Takes what happened. Events that are not for this kind of view leave it as it is. */
  abstract step(event: ChannelEvent): readonly ChannelEffect[] | undefined;
  /** Brings the snapshot up to date; whether it changed. */
  abstract publish(overlay: Overlay): boolean;
  /** After listeners have been told of a new snapshot. */
  tell(_report: (error: unknown) => void): void {}

  protected setIfChanged(next: Snapshot): boolean {
    const before = this.getSnapshot();
    for (const field in { ...before, ...next }) {
      if (before[field] !== next[field]) return this.change(next);
    }
    return false;
  }
}
