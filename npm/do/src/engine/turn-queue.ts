import { IDLE, step } from "./turn-scheduler.ts";
import type { SchedulerEffect, SchedulerEvent } from "./turn-scheduler.ts";

/** What the queue does with what it holds. Neither may reject. */
export interface QueueHost<Mutation> {
  /** Runs mutations as one group; resolves to how many of the first it has settled, at least one. */
  runGroup(mutations: readonly Mutation[]): Promise<GroupEnd>;
  /** Resolves once everything written is on disk. */
  flush(): Promise<void>;
  /** Nothing waits any more. */
  idle?(): void;
}

export interface GroupEnd {
  readonly taken: number;
  readonly hasWritten: boolean;
}

type Place<Mutation> =
  | { readonly kind: "mutation"; readonly mutation: Mutation }
  | { readonly kind: "turn"; readonly run: () => Promise<void> };

/** The one queue of a shard: mutations in groups, everything else in turns of its own. Acts as `step` says. */
export class TurnQueue<Mutation> {
  readonly #host: QueueHost<Mutation>;
  #places: Place<Mutation>[] = [];
  #state = IDLE;

  constructor(host: QueueHost<Mutation>) {
    this.#host = host;
  }

  /** Nothing runs, and nothing waits. */
  get isIdle(): boolean {
    return this.#state.phase === "idle";
  }

  /** Mutations take the next places now. */
  push(mutations: readonly Mutation[]): void {
    for (const mutation of mutations) this.#places.push({ kind: "mutation", mutation });
    if (mutations.length > 0) this.#step({ type: "arrive", kind: "mutation", count: mutations.length });
  }

  /** Takes the next place now; runs alone, when everything before has ended. */
  turn<Result>(run: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#places.push({ kind: "turn", run: () => run().then(resolve, reject) });
      this.#step({ type: "arrive", kind: "turn", count: 1 });
    });
  }

  #step(event: SchedulerEvent): void {
    const { state, effect } = step(this.#state, event);
    this.#state = state;
    if (effect !== undefined) void this.#act(effect);
    else if (state.phase === "idle") this.#host.idle?.();
  }

  async #act(effect: SchedulerEffect): Promise<void> {
    if (effect.type === "flush") {
      await this.#host.flush();
      this.#step({ type: "flushed" });
      return;
    }
    const end = await this.#run(effect.count);
    this.#places = this.#places.slice(end.taken);
    this.#step({ type: "ended", ...end });
  }

  async #run(count: number): Promise<GroupEnd> {
    const first = this.#places[0] as Place<Mutation>;
    if (first.kind === "turn") {
      await first.run();
      return { taken: 1, hasWritten: false };
    }
    const mutations: Mutation[] = [];
    for (const place of this.#places.slice(0, count)) if (place.kind === "mutation") mutations.push(place.mutation);
    return this.#host.runGroup(mutations);
  }
}
