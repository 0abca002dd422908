import type { ClientFrame, SubscribeFrame } from "@lunora/protocol";

import type { Overlay } from "./overlay.ts";
import { INITIAL_QUERY, stepQuery } from "./query-state.ts";
import type { QueryEvent, QueryState } from "./query-state.ts";
import type { QuerySnapshot } from "./types.ts";
import { View } from "./view.ts";
import type { OnUse, ViewEffect } from "./view.ts";

/** A query that somebody looks at. */
export class QueryView extends View<QuerySnapshot> {
  state: QueryState = INITIAL_QUERY;
  readonly #path: string;
  readonly #args: unknown;

  /** `args` are wire-encoded. */
  constructor(key: string, path: string, args: unknown, shard: string | undefined, onUse: OnUse) {
    super({ status: "loading", isOptimistic: false }, key, shard, onUse);
    this.#path = path;
    this.#args = args;
  }

  get strikes(): number {
    return this.state.strikes;
  }

  subscribeFrame(): ClientFrame {
    const { cursor: sinceSeq, epoch: sinceEpoch, version: sinceVersion } = this.state;
    const since = sinceSeq === undefined ? {} : { sinceSeq, sinceEpoch, sinceVersion };
    const query = { functionPath: this.#path, args: this.#args, ...since } as SubscribeFrame["query"];
    return { type: "subscribe", id: this.id, query };
  }

  unsubscribeFrame(): ClientFrame {
    return { type: "unsubscribe", id: this.id };
  }

  step(event: QueryEvent): readonly ViewEffect[] {
    const [state, effects] = stepQuery(this.state, event);
    this.state = state;
    return effects;
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
