import { CodedError } from "@lunora/errors";
import { encodedKey, encodeValue } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";

import type { Channel, ChannelEvent } from "./extension.ts";
import type { Live } from "./live.ts";
import { callSafely } from "./observable.ts";
import { QueryView } from "./query-view.ts";
import type { Subscription, SubscriptionHandlers } from "./types.ts";
import { View } from "./view.ts";
import type { ViewPlace } from "./view.ts";

/** A view that nobody looks at stays subscribed for so long. */
const VIEW_GRACE_MS = 5_000;

/** What somebody looks at, and a moment longer. */
export class Views {
  readonly all: Map<string, View> = new Map();
  /** What has changed in this turn. */
  touched: Set<View> = new Set();
  readonly #live: Live;
  readonly #graces = new Map<View, () => void>();

  constructor(live: Live) {
    this.#live = live;
  }

  query(reference: FunctionReference, args?: unknown): QueryView {
    const { path } = reference;
    const make = (place: ViewPlace): View => new QueryView(place, path, this.#live.pageDeltas);
    return this.view(path, reference, args, make) as QueryView;
  }

  subscribe(reference: FunctionReference, args: unknown, handlers: SubscriptionHandlers<never>): Subscription<unknown> {
    const view = this.query(reference, args);
    let told: unknown = view;
    const tell = (): void => {
      const { status, data, error } = view.getSnapshot();
      if (status === "loading" || told === (error ?? data)) return;
      told = error ?? data;
      if (error) handlers.onError?.(error);
      else handlers.onData?.(data as never);
    };
    const unsubscribe = view.subscribe(tell);
    callSafely(tell, this.#live.environment.report);
    return { unsubscribe, current: () => view.getSnapshot().data };
  }

  find(reference: FunctionReference, args?: unknown): QueryView | undefined {
    return this.all.get(this.#place(reference.path, reference, args).key) as QueryView | undefined;
  }

  #place(name: string, reference: Pick<FunctionReference, "address">, values: unknown = {}): ViewPlace {
    const shard = this.#live.shardOf(reference, values);
    const args = encodeValue(values);
    return { key: encodedKey(name, args, shard), shard, args, onUse: this.#onUse };
  }

  step(channel: Channel, event: ChannelEvent): void {
    const effects = channel.step(event);
    if (!effects || !(channel instanceof View)) return;
    this.touched.add(channel);
    for (const effect of effects) {
      if (effect === "restart") this.#restart(channel);
      else this.#live.offline?.keep(channel as QueryView, false);
    }
  }

  /** Gives those that have nothing yet what an earlier page knew. */
  restore(views: Iterable<View> = this.all.values()): void {
    for (const view of views) if (this.#live.offline?.restore(view as QueryView)) this.touched.add(view);
  }

  close(): void {
    for (const cancel of this.#graces.values()) cancel();
  }

  /** The one view with this name, arguments and shard. */
  view(
    name: string,
    reference: Pick<FunctionReference, "address">,
    args: unknown,
    make: (place: ViewPlace) => View,
  ): View {
    const place = this.#place(name, reference, args);
    const { key } = place;
    const known = this.all.get(key);
    if (known) return known;
    const view = make(place);
    const { layers, transact } = this.#live;
    this.all.set(key, view);
    this.restore([view]);
    // What a layer has not finished is not to be seen.
    if (layers.isApplying) transact(() => this.touched.add(view));
    else view.publish(layers.overlay);
    this.#grace(view);
    return view;
  }

  readonly #onUse = (view: View, isUsed: boolean): void => {
    this.#graces.get(view)?.();
    if (!isUsed) return this.#grace(view);
    if (!this.all.has(view.key)) this.all.set(view.key, view);
    if (view.id === "") this.#live.transact(() => this.#activate(view));
  };

  #grace(view: View): void {
    const { environment, transact } = this.#live;
    this.#graces.set(
      view,
      environment.setTimer(VIEW_GRACE_MS, () => transact(() => this.#retire(view))),
    );
  }

  #activate(view: View): void {
    const { hasSockets } = this.#live;
    if (hasSockets && isAddressed(view)) {
      this.restore([view]);
      return this.#live.open(view);
    }
    const error = hasSockets
      ? new CodedError("FAN_OUT_NOT_LIVE", 400, "No single shard has it: use `query`")
      : new CodedError("NOT_IMPLEMENTED", 501, "Without sockets nothing is live");
    this.step(view, { type: "failed", error });
  }

  /** Nobody looks any more: what is stored remembers, the view does not. */
  #retire(view: View): void {
    this.#graces.delete(view);
    this.#live.close(view);
    this.#live.offline?.keep(view as QueryView, true);
    if (this.all.get(view.key) === view) this.all.delete(view.key);
    this.step(view, { type: "forget" });
    this.#live.layers.mustRebase = true;
  }

  /** Reads a view afresh: at once the first time, then after growing pauses. */
  #restart(view: View): void {
    if (view.id === "") return;
    this.#live.close(view);
    const again = (): void => {
      if (view.id === "" && view.isUsed && isAddressed(view)) this.#live.open(view);
    };
    if (view.strikes <= 1) again();
    else this.#live.after(view.strikes, again);
  }
}

function isAddressed(view: View): view is View & { readonly shard: string } {
  return view.shard !== undefined;
}
