import { LunoraError } from "@lunora/errors";
import { encodeValue, subscriptionKey } from "@lunora/protocol";
import type { FunctionReference, ShapeReference } from "@lunora/protocol";

import type { Channel, ChannelEvent } from "./extension.ts";
import type { Live } from "./live.ts";
import { callSafely } from "./observable.ts";
import type { QueryEvent } from "./query-state.ts";
import { QueryView } from "./query-view.ts";
import type { LiveShape, ShapeOptions, Subscription, SubscriptionHandlers } from "./types.ts";
import { View } from "./view.ts";

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

  query(reference: FunctionReference, args: unknown = {}): QueryView {
    const { path } = reference;
    const shard = this.#live.shardOf(reference, args);
    const key = subscriptionKey(path, args, shard);
    const { pageDeltas: takeDelta } = this.#live;
    const make = (): View => new QueryView({ path, args: encodeValue(args), takeDelta }, key, shard, this.#onUse);
    return this.#view(key, make) as QueryView;
  }

  shape(reference: ShapeReference, args: unknown = {}, options: ShapeOptions<never> = {}): View & LiveShape {
    const { shapes } = this.#live;
    if (!shapes) throw new LunoraError("NOT_IMPLEMENTED", "Give the client the option `shapes`");
    const shard = this.#live.shardOf(reference, args);
    const key = `shape ${subscriptionKey(reference.name, args, shard)}`;
    const view = this.#view(key, () => shapes.view(reference, args, key, shard, this.#onUse));
    shapes.configure(view, options);
    return view as View & LiveShape;
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

  find(reference: FunctionReference, args: unknown = {}): QueryView | undefined {
    const key = subscriptionKey(reference.path, args, this.#live.shardOf(reference, args));
    return this.all.get(key) as QueryView | undefined;
  }

  step(channel: Channel, event: ChannelEvent): void;
  step(channel: View, event: QueryEvent): void;
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
    for (const view of views) {
      const event = this.#live.offline?.restored(view.key);
      if (event) this.step(view, event);
    }
  }

  close(): void {
    for (const cancel of this.#graces.values()) cancel();
  }

  #view(key: string, make: () => View): View {
    const known = this.all.get(key);
    if (known) return known;
    const view = make();
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
      ? new LunoraError("FAN_OUT_NOT_LIVE", "No single shard has it: use `query`")
      : new LunoraError("NOT_IMPLEMENTED", "Nothing is live without sockets");
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
