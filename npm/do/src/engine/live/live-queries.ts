import { isLunoraError, LunoraError } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import type { SubscribeFrame } from "@lunora/protocol";
import { findFunction } from "@lunora/server";

import { Footprint } from "../footprint.ts";
import type { Connection, SavedSubscription } from "./connection.ts";
import type { Flush } from "./flush.ts";
import { LiveAnswer } from "./live-answer.ts";
import type { Stamp } from "./live-answer.ts";
import type { LiveHost, QueryPart } from "./live-host.ts";
import { groupKey, keyOfIdentity, QueryGroup, QueryVariant } from "./query-variant.ts";
import type { Subscriber } from "./query-variant.ts";
import { tell } from "./tell.ts";
import type { Telling } from "./tell.ts";
import { VariantIndex } from "./variant-index.ts";
import { within } from "./within.ts";

/** How long a query may take, milliseconds: it holds up the shard's queue. */
const RUN_DEADLINE = 10_000;

/** Characters of results that are held for all queries together; each takes some times as many bytes. */
const HELD_LENGTH = 16_000_000;

/** Errors that say nothing about what the query would answer. */
const NO_VERDICTS: ReadonlySet<string> = new Set(["INTERNAL", "MODULE_TIMEOUT", "QUERY_TIMEOUT"]);

const NOBODY: ReadonlyMap<string, number> = new Map();

function hasFailure({ sent }: Subscriber): boolean {
  return sent?.isError === true;
}

/** The tables that the query read, when it is known. */
function tablesOf({ footprint }: QueryVariant): readonly string[] | undefined {
  return footprint === undefined || footprint.readsEverything ? undefined : [...footprint.tables].sort();
}

/** What one run came to. */
interface Outcome {
  readonly answer: LiveAnswer;
  readonly footprint: Footprint;
  /** See {@link QueryVariant.retryAt}. */
  readonly retryAt: number;
}

/** Subscriptions to queries: each distinct query is run once for all who see the same. */
export class LiveQueries implements QueryPart {
  readonly #host: LiveHost;
  readonly #deadline: number;
  readonly #limit: number;
  /** Characters of the answers of all variants. */
  #held = 0;
  readonly #groups = new Map<string, QueryGroup>();
  readonly #index = new VariantIndex();
  /** By the connection's id, then the subscription's. */
  readonly #subscribers = new Map<string, Map<string, Subscriber>>();

  /** `deadline` in milliseconds; `limit`: characters of results that may be held. */
  constructor(host: LiveHost, deadline: number = RUN_DEADLINE, limit: number = HELD_LENGTH) {
    this.#host = host;
    this.#deadline = deadline;
    this.#limit = limit;
  }

  get readsGlobals(): boolean {
    return this.#index.reads((table) => this.#isGlobal(table));
  }

  #isGlobal(table: string): boolean {
    return this.#host.mirror?.table(table) !== undefined;
  }

  async subscribe(connection: Connection, { id, query }: SubscribeFrame): Promise<void> {
    this.unsubscribe(connection, id);
    const { functionPath, args } = query;
    this.#refuseFanOut(functionPath);
    this.#host.queryEntry(functionPath, args);
    await this.#host.authorize(connection, functionPath);
    const group = this.#group(functionPath, args);
    const own = group.shared ?? group.of(keyOfIdentity(connection.identity));
    const subscriber = this.#attach(own, connection, id);
    const refreshed = own.isCurrent(this.#host.now()) ? [] : await this.#refresh(own);
    this.#greet(subscriber, query);
    // The run may have got further than the one before it, which others were told had failed.
    const present: Telling = { cursor: this.#host.head(), epoch: this.#host.epoch(), clients: NOBODY, changes: [] };
    for (const variant of refreshed) tell(variant, present, [...variant.subscribers].filter(hasFailure));
  }

  #refuseFanOut(functionPath: string): void {
    const { functions } = this.#host.definition;
    const entry = findFunction(functions, functionPath);
    if (entry?.kind !== "query" || entry.visibility !== "public" || entry.address.kind !== "fanOut") return;
    throw new LunoraError(
      "FAN_OUT_NOT_LIVE",
      `\`${functionPath}\` reads all shards, and no shard sees the changes of the others`,
    );
  }

  #group(functionPath: string, args: unknown): QueryGroup {
    const key = groupKey(functionPath, args);
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = new QueryGroup(key, functionPath, args)));
    return group;
  }

  #attach(variant: QueryVariant, connection: Connection, id: string): Subscriber {
    const subscriber: Subscriber = { connection, id, variant, sent: undefined };
    variant.subscribers.add(subscriber);
    let own = this.#subscribers.get(connection.id);
    if (own === undefined) this.#subscribers.set(connection.id, (own = new Map()));
    own.set(id, subscriber);
    if (variant.subscribers.size === 1) this.#index.place(variant);
    return subscriber;
  }

  /** The first frame: what the client has is still right, or the whole answer. */
  #greet(subscriber: Subscriber, query: SubscribeFrame["query"]): void {
    const { connection, id, variant } = subscriber;
    const answer = variant.answer as LiveAnswer;
    const stamp: Stamp = {
      id,
      cursor: this.#host.head(),
      epoch: this.#host.epoch(),
      lastMutationId: this.#host.lastMutationId(connection),
    };
    subscriber.sent = answer;
    const holds = this.#stillHolds(variant, query);
    this.#host.watch?.queryBegan(connection, id, query, answer, holds, this.#host);
    if (holds) {
      connection.send({ type: "resume", id, cursor: stamp.cursor, epoch: stamp.epoch });
    } else {
      connection.sendText(answer.frame(stamp), answer.isError ? undefined : stamp.lastMutationId);
    }
  }

  /**
   * Whether the client's result is still the result: the log vouches that nothing changed which the
   * query reads, and the query says the same as it did. Its code, and who asks, may have changed.
   */
  #stillHolds(variant: QueryVariant, { sinceSeq, sinceEpoch, sinceVersion }: SubscribeFrame["query"]): boolean {
    const { answer, footprint } = variant;
    if (sinceSeq === undefined || sinceEpoch !== this.#host.epoch()) return false;
    if (answer?.isError !== false || sinceVersion !== answer.version || footprint === undefined) return false;
    // The log knows nothing of tables that live elsewhere.
    if ([...footprint.tables].some((table) => this.#isGlobal(table))) return false;
    const changes = this.#host.changesSince(sinceSeq);
    return changes !== undefined && !footprint.touches(changes);
  }

  unsubscribe(connection: Connection, id: string): void {
    const own = this.#subscribers.get(connection.id);
    const subscriber = own?.get(id);
    if (own === undefined || subscriber === undefined) return;
    own.delete(id);
    if (own.size === 0) this.#subscribers.delete(connection.id);
    this.#detach(subscriber);
  }

  close(connection: Connection): void {
    const own = this.#subscribers.get(connection.id);
    this.#subscribers.delete(connection.id);
    for (const subscriber of own?.values() ?? []) this.#detach(subscriber);
  }

  #detach(subscriber: Subscriber): void {
    const { connection, id, variant } = subscriber;
    const name = variant.group.functionPath;
    this.#host.watch?.subscription(connection, { id, kind: "query", name, state: "ended" });
    variant.subscribers.delete(subscriber);
    if (variant.subscribers.size === 0) this.#drop(variant);
  }

  #drop(variant: QueryVariant): void {
    const { group } = variant;
    this.#index.remove(variant);
    this.#hold(variant, undefined);
    if (variant.identityKey === undefined) group.shared = undefined;
    else group.byIdentity.delete(variant.identityKey);
    if (group.isEmpty) this.#groups.delete(group.key);
  }

  saved(connection: Connection): readonly SavedSubscription[] {
    return Array.from(this.#subscribers.get(connection.id)?.values() ?? [], ({ id, variant }) => {
      const { functionPath, args } = variant.group;
      const tables = tablesOf(variant);
      return { id, kind: "q", name: functionPath, args, ...(tables === undefined ? {} : { tables }) };
    });
  }

  /**
   * Which tables the queries read is kept while the object sleeps, and no more, so the first change of one of them
   * runs them again.
   */
  async restore(connection: Connection, saved: readonly SavedSubscription[]): Promise<void> {
    for (const { id, name, args, tables } of saved) {
      const group = this.#group(name, args);
      const variant = group.shared ?? group.of(keyOfIdentity(connection.identity));
      if (variant.answer === undefined) {
        variant.footprint ??= new Footprint();
        if (tables === undefined) variant.footprint.noteEverything();
        for (const table of tables ?? []) variant.footprint.noteTable(table);
        this.#index.place(variant);
        if (tables?.some((table) => this.#isGlobal(table)) === true) this.#host.mirror?.watch();
      }
      this.#attach(variant, connection, id);
    }
  }

  async flush({ toSeq, epoch, clients, changes, polled }: Flush): Promise<void> {
    if (this.#groups.size === 0) return;
    const telling: Telling = { cursor: toSeq, epoch, clients, changes };
    const groups = new Map<QueryGroup, QueryVariant[]>();
    for (const variant of this.#index.touchedBy(changes, polled)) {
      const touched = groups.get(variant.group);
      if (touched === undefined) groups.set(variant.group, [variant]);
      else touched.push(variant);
    }
    // Together, so that several that hang are waited for once.
    await Promise.all(
      Array.from(groups.values(), async ([first, ...rest]) => {
        const refreshed = first === undefined ? [] : await this.#refresh(first);
        // The first run may have served everybody.
        refreshed.push(...(await this.#refreshAll(rest)));
        for (const variant of refreshed) tell(variant, telling, variant.subscribers, this.#host.watch);
      }),
    );
  }

  async #refreshAll(variants: readonly QueryVariant[]): Promise<QueryVariant[]> {
    return (await Promise.all(variants.map((variant) => this.#refresh(variant)))).flat();
  }

  /**
   * Runs a variant's query as its first subscriber. Resolves to every variant that has a new
   * answer: where the query looked at who asks, and before it did not, each identity gets its own.
   */
  async #refresh(variant: QueryVariant): Promise<QueryVariant[]> {
    const { group } = variant;
    const [subscriber] = variant.subscribers;
    if (subscriber === undefined) return [];
    const { connection } = subscriber;
    const outcome = await this.#run(group, connection);
    // Others may have been served by the answer to somebody else meanwhile.
    if (variant.subscribers.size === 0) return [];
    if (!outcome.footprint.readsIdentity) {
      const others = [...group.byIdentity.values()];
      const shared = (group.shared ??= new QueryVariant(group, undefined));
      this.#settle(shared, outcome);
      for (const other of others) this.#move(other, [...other.subscribers], () => shared);
      return [shared];
    }
    const own = group.of(keyOfIdentity(connection.identity));
    this.#settle(own, outcome);
    if (variant === own) return [own];
    // The variant was shared: whoever else it served has to be asked for as well.
    this.#move(variant, [...variant.subscribers], (other) => group.of(keyOfIdentity(other.connection.identity)));
    const others = [...group.byIdentity.values()].filter(({ answer }) => answer === undefined);
    return [own, ...(await this.#refreshAll(others))];
  }

  #settle(variant: QueryVariant, { answer, footprint, retryAt }: Outcome): void {
    const held = this.#held - (variant.answer?.length ?? 0);
    const isTooMuch = held + answer.length > this.#limit;
    const present = isTooMuch ? LiveAnswer.ofError(this.#refusal(variant)) : answer;
    // Subscribers keep one copy of equal answers.
    if (variant.answer?.equals(present) !== true) this.#hold(variant, present);
    const before = tablesOf(variant);
    variant.footprint = footprint;
    if (JSON.stringify(before) !== JSON.stringify(tablesOf(variant)))
      for (const { connection } of variant.subscribers) this.#host.changed(connection);
    // Others may have left by the time somebody asks again.
    variant.retryAt = isTooMuch ? this.#host.now() : retryAt;
    this.#index.place(variant);
    if (tablesOf(variant)?.some((table) => this.#isGlobal(table)) === true) this.#host.mirror?.watch();
  }

  #hold(variant: QueryVariant, answer: LiveAnswer | undefined): void {
    this.#held += (answer?.length ?? 0) - (variant.answer?.length ?? 0);
    variant.answer = answer;
  }

  #refusal({ group: { functionPath } }: QueryVariant): ErrorBody {
    const error = new LunoraError(
      "LIVE_RESULTS_LIMIT",
      `the results of live queries would be longer than ${this.#limit} characters together with that of \`${functionPath}\``,
      { data: { limit: this.#limit } },
    );
    return this.#host.failure(functionPath, error);
  }

  #move(
    from: QueryVariant,
    subscribers: readonly Subscriber[],
    target: (subscriber: Subscriber) => QueryVariant,
  ): void {
    for (const subscriber of subscribers) {
      from.subscribers.delete(subscriber);
      subscriber.variant = target(subscriber);
      subscriber.variant.subscribers.add(subscriber);
      this.#host.changed(subscriber.connection);
      if (subscriber.variant.subscribers.size === 1) this.#index.place(subscriber.variant);
    }
    this.#drop(from);
  }

  async #run({ functionPath, args }: QueryGroup, { identity }: Connection): Promise<Outcome> {
    const footprint = new Footprint();
    try {
      const encoded = await within(
        this.#host.runQuery({ functionPath, args, identity }, { footprint }),
        this.#deadline,
        () => new LunoraError("QUERY_TIMEOUT", `\`${functionPath}\` did not settle within ${this.#deadline} ms`),
      );
      return { answer: LiveAnswer.ofResult(encoded), footprint, retryAt: Infinity };
    } catch (error) {
      // A coded error is the app's answer. Anything else may have come before all was read that
      // would have been, and may be over later: any change, or a new subscriber, tries again.
      const isVerdict = isLunoraError(error) && !NO_VERDICTS.has(error.code);
      if (!isVerdict) footprint.noteEverything();
      // It is there again without a change of its tables.
      else if (error.code === "GLOBAL_UNAVAILABLE") this.#host.mirror?.doubt();
      return {
        answer: LiveAnswer.ofError(this.#host.failure(functionPath, error)),
        footprint,
        retryAt: isVerdict ? Infinity : this.#host.now() + this.#deadline,
      };
    }
  }
}
