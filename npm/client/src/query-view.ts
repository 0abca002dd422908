import type { ClientFrame, SubscribeFrame } from "@lunora/protocol";

import type { ChannelEffect } from "./extension.ts";
import type { Overlay } from "./overlay.ts";
import { INITIAL_QUERY, stepQuery } from "./query-state.ts";
import type { QueryEvent, QueryState, TakeDelta } from "./query-state.ts";
import type { QuerySnapshot } from "./types.ts";
import { View } from "./view.ts";
import type { OnUse } from "./view.ts";

/** A query that somebody looks at. */
export class QueryView extends View<QuerySnapshot> {
  state: QueryState = INITIAL_QUERY;
  readonly path: string;
  /** Wire-encoded. */
  readonly args: unknown;
  readonly #takeDelta: TakeDelta | undefined;

  constructor(
    query: {
      readonly path: string;
      /** Wire-encoded. */
      readonly args: unknown;
      readonly takeDelta: TakeDelta | undefined;
    },
    key: string,
    shard: string | undefined,
    onUse: OnUse,
  ) {
    super({ status: "loading", isOptimistic: false }, key, shard, onUse);
    this.path = query.path;
    this.args = query.args;
    this.#takeDelta = query.takeDelta;
  }

  get strikes(): number {
    return this.state.strikes;
  }

  openFrame(): ClientFrame {
    const { cursor: sinceSeq, epoch: sinceEpoch, version: sinceVersion } = this.state;
    const since = sinceSeq === undefined ? {} : { sinceSeq, sinceEpoch, sinceVersion };
    const query = { functionPath: this.path, args: this.args, ...since } as SubscribeFrame["query"];
    return { type: "subscribe", id: this.id, query };
  }

  closeFrame(): ClientFrame {
    return { type: "unsubscribe", id: this.id };
  }

  step(event: QueryEvent): readonly ChannelEffect[] | undefined {
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
