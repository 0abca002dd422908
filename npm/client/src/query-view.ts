import type { ClientFrame, SubscribeFrame } from "@lunora/protocol";

import type { ChannelEffect, ChannelEvent } from "./extension.ts";
import type { Overlay } from "./overlay.ts";
import { INITIAL_QUERY, stepQuery } from "./query-state.ts";
import type { QueryState, TakeDelta } from "./query-state.ts";
import type { QuerySnapshot } from "./types.ts";
import { View } from "./view.ts";
import type { ViewPlace } from "./view.ts";

/** A query that somebody looks at. */
export class QueryView extends View<QuerySnapshot> {
  state: QueryState = INITIAL_QUERY;
  readonly #takeDelta: TakeDelta | undefined;

  constructor(place: ViewPlace, takeDelta: TakeDelta | undefined) {
    super({ status: "loading", isOptimistic: false }, place);
    this.#takeDelta = takeDelta;
  }

  openFrame(): ClientFrame {
    const { cursor: sinceSeq, epoch: sinceEpoch, version: sinceVersion } = this.state;
    const query = { functionPath: this.name, args: this.args, sinceSeq, sinceEpoch, sinceVersion };
    // Fields that are `undefined` do not travel.
    return { type: "subscribe", id: this.id, query: query as SubscribeFrame["query"] };
  }

  closeFrame(): ClientFrame {
    return { type: "unsubscribe", id: this.id };
  }

  step(event: ChannelEvent): readonly ChannelEffect[] | undefined {
    const before = this.state;
    const [state, effects] = stepQuery(before, event, this.#takeDelta);
    this.state = state;
    return state === before ? undefined : effects;
  }

  publish({ results }: Overlay): boolean {
    const { status, base, error } = this.state;
    const optimistic = results.get(this);
    return this.setIfChanged({
      status,
      ...(optimistic ?? base),
      ...(error && { error }),
      isOptimistic: optimistic !== undefined,
    });
  }
}
