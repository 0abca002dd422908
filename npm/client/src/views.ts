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

type Addressed = Pick<FunctionReference, "address">;

/** What somebody looks at, and a moment longer. */
export interface Views {
  readonly all: Map<string, View>;
  /** What has changed in this turn. */
  touched: Set<View>;
  query(reference: FunctionReference, args?: unknown): QueryView;
  subscribe(reference: FunctionReference, args: unknown, handlers: SubscriptionHandlers<never>): Subscription<unknown>;
  find(reference: FunctionReference, args?: unknown): QueryView | undefined;
  /** Tells a channel what happened, and does what that makes of a view. */
  step(channel: Channel, event: ChannelEvent): void;
  /** Gives those that have nothing yet what an earlier page knew. */
  restore(views?: Iterable<View>): void;
  /** The one view with this name, arguments and shard. */
  view(name: string, reference: Addressed, args: unknown, make: (place: ViewPlace) => View): View;
  close(): void;
}

export function createViews(live: Live): Views {
  const { environment, hasSockets, layers, report, transact } = live;
  const all = new Map<string, View>();
  const graces = new Map<View, () => void>();

  const placeOf = (name: string, reference: Addressed, values: unknown = {}): ViewPlace => {
    const shard = live.shardOf(reference, values);
    const args = encodeValue(values);
    return { name, key: encodedKey(name, args, shard), shard, args, onUse };
  };

  const onUse = (view: View, isUsed: boolean): void => {
    graces.get(view)?.();
    if (!isUsed) return grace(view);
    if (!all.has(view.key)) all.set(view.key, view);
    if (view.id === "") transact(() => activate(view));
  };

  const grace = (view: View): void => {
    graces.set(
      view,
      environment.setTimer(VIEW_GRACE_MS, () => transact(() => retire(view))),
    );
  };

  const activate = (view: View): void => {
    if (hasSockets && view.shard !== undefined) {
      views.restore([view]);
      return live.open(view as View & { readonly shard: string });
    }
    const error = hasSockets
      ? new CodedError("FAN_OUT_NOT_LIVE", 400, "No single shard has it: use `query`")
      : new CodedError("NOT_IMPLEMENTED", 501, "The client has no sockets");
    views.step(view, { type: "failed", error });
  };

  /** Nobody looks any more: what is stored remembers, the view does not. */
  const retire = (view: View): void => {
    graces.delete(view);
    live.close(view);
    live.offline?.keep(view as QueryView, true);
    if (all.get(view.key) === view) all.delete(view.key);
    views.step(view, { type: "forget" });
    layers.isStale = true;
  };

  /** Reads a view afresh: at once the first time, then after growing pauses. */
  const restart = (view: View): void => {
    if (view.id === "") return;
    live.close(view);
    const again = (): void => {
      if (view.id === "" && view.isUsed) activate(view);
    };
    if (view.state.strikes <= 1) again();
    else live.after(view.state.strikes, again);
  };

  const views: Views = {
    all,
    touched: new Set(),
    query: (reference, args) =>
      views.view(reference.path, reference, args, (place) => new QueryView(place, live.pageDeltas)) as QueryView,
    subscribe(reference, args, handlers) {
      const view = views.query(reference, args);
      let told: unknown = view;
      const tell = (): void => {
        const { status, data, error } = view.getSnapshot();
        if (status === "loading" || told === (error ?? data)) return;
        told = error ?? data;
        if (error) handlers.onError?.(error);
        else handlers.onData?.(data as never);
      };
      const unsubscribe = view.subscribe(tell);
      callSafely(tell, report);
      return { unsubscribe, current: () => view.getSnapshot().data };
    },
    find: (reference, args) => all.get(placeOf(reference.path, reference, args).key) as QueryView | undefined,
    step(channel, event) {
      const effects = channel.step(event);
      if (!effects || !(channel instanceof View)) return;
      views.touched.add(channel);
      for (const effect of effects) {
        if (effect === "restart") restart(channel);
        else live.offline?.keep(channel as QueryView, false);
      }
    },
    restore(some = all.values()) {
      for (const view of some) if (live.offline?.restore(view as QueryView)) views.touched.add(view);
    },
    view(name, reference, args, make) {
      const place = placeOf(name, reference, args);
      let view = all.get(place.key);
      if (view) return view;
      view = make(place);
      all.set(place.key, view);
      views.restore([view]);
      // What a layer has not finished is not to be seen.
      if (layers.isApplying) transact(() => views.touched.add(view));
      else view.publish(layers.overlay);
      grace(view);
      return view;
    },
    close() {
      for (const cancel of graces.values()) cancel();
    },
  };
  return views;
}
