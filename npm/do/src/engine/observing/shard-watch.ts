import { isLunoraError } from "@lunora/errors";
import type {
  ObservedCommit,
  ObservedPokePart,
  ObservedScope,
  ObservedSocket,
  ObservedSubscription,
  ShardAnswer,
  ShardCall,
} from "@lunora/runtime";
import type { FunctionKind } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { ShapeSubscribeFrame, StreamFrame, SubscribeFrame } from "@lunora/protocol";

import type { Connection } from "../live/connection.ts";
import type { LiveAnswer } from "../live/live-answer.ts";
import type { LiveHost } from "../live/live-host.ts";
import type { ResetCause } from "../live/resume.ts";
import type { Flush } from "../live/flush.ts";
import type { MutationCall } from "../mutation-call.ts";
import type { SocketConnection } from "../sockets/socket-connection.ts";
import type { OpenedStream } from "../streams/stream-host.ts";
import { Arrived, eventsOf, noteArrivals, tellCommit, tellLost, tellMisplaced, writersOf } from "./group-watch.ts";
import type { GroupObserver, GroupResult } from "./group-watch.ts";
import { answerFacts, patchFacts } from "./patch-facts.ts";
import type { PatchFacts } from "./patch-facts.ts";
import { newsOf, queryNews, shapeNews } from "./seed-news.ts";
import type { ShardFaults } from "./shard-faults.ts";
import { observedStream } from "./stream-watch.ts";

/** A subscription's part of what is told: everything but the socket and the time. */
export type SubscriptionNews = Pick<ObservedSubscription, "id" | "kind" | "name" | "state"> &
  Partial<Pick<ObservedSubscription, "args" | "cause" | "rows">>;

/** The commit whose pokes are under way. */
interface PresentFlush {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly at: number;
  /** Ids of calls that changed something. */
  readonly calls: () => readonly string[];
}

/** A commit that is not told, nor what it leads to. */
const SKIPPED: PresentFlush = { fromSeq: 0, toSeq: 0, at: 0, calls: () => [] };

/** Members of a group from which on they are lent a scope. */
const LENT_BY = 8;

/** For how long at most: a group whose object is reset takes nothing back, milliseconds. */
const LOAN = 5_000;

const encoder = new TextEncoder();

/** What a shard tells its observer. The engine has one only when somebody listens. */
export class ShardWatch {
  readonly faults: ShardFaults;
  readonly #observer: GroupObserver;
  readonly #object: string;
  readonly #now: () => number;
  #flush: PresentFlush | undefined;
  /** Sockets that a flush which is not told does something to. */
  readonly #skipped = new Set<Connection>();
  /** Whether the present group, or the last one, is not told one by one. The clock is asked once for all of its members. */
  #isPassedOver = false;
  /** What the members of the present group are lent. */
  #lent: { -readonly [Key in keyof ObservedScope]: ObservedScope[Key] } | undefined;
  /** Epoch milliseconds. */
  #lentUntil = 0;
  /** What the present flush does to subscriptions, by socket. */
  readonly #parts = new Map<Connection, ObservedPokePart[]>();
  /** Functions of streams that go on, by socket and id: whoever tells their end does not know them. */
  readonly #streams = new Map<Connection, Map<string, string>>();
  /** What answers change for whoever has another one: many have the same. */
  readonly #answers = new Map<LiveAnswer, Map<LiveAnswer | undefined, PatchFacts>>();
  /** Sockets often get the very same messages. */
  #measured: { readonly messages: readonly string[]; readonly bytes: number } = { messages: [], bytes: 0 };

  constructor(observer: GroupObserver, object: string, now: () => number, faults: ShardFaults) {
    this.#observer = observer;
    this.#object = object;
    this.#now = now;
    this.faults = faults;
  }

  /**
   * Mutations have come, and wait; `call` is what the Worker calls the only one, `parent` the call that made it. What probably
   * is not told is noted when its group begins, if it is told after all.
   */
  arrived(calls: readonly MutationCall[], call?: string, parent?: string): void {
    if (this.#isPassedOver && call === undefined) return;
    const since = this.#now();
    for (const mutation of calls) mutation.observed = new Arrived(this.#observer, since, call, parent);
  }

  /**
   * Runs the members of a group. They come one after the other, so those of a large one are lent a scope that says which
   * it is: to run in one costs more than telling of it. What one of them leaves behind, and nobody awaits, is taken for
   * the next one's.
   */
  group<Result>(calls: readonly MutationCall[], run: () => Result): Result {
    this.#isPassedOver = this.#observer.isSated();
    if (this.#isPassedOver) return run();
    noteArrivals(this.#observer, calls, this.#now);
    if (calls.length >= LENT_BY) {
      this.#lent = { functionPath: "", object: this.#object };
      this.#lentUntil = this.#now() + LOAN;
    }
    return run();
  }

  /** Runs a mutation's handler as that call. */
  within<Result>({ observed, functionPath }: MutationCall, run: () => Result): Result {
    if (this.#isPassedOver || observed === undefined) return run();
    if (this.#lent !== undefined) {
      this.#lent.call = observed.call;
      this.#lent.functionPath = functionPath;
      this.#observer.lend(this.#lent, this.#lentUntil);
      return run();
    }
    return this.#observer.within({ call: observed.call, functionPath, object: this.#object }, run);
  }

  /** Nobody of the group runs any more. */
  #takeBack(): void {
    if (this.#lent !== undefined) this.#observer.lend(undefined, 0);
    this.#lent = undefined;
  }

  /** A call that waits in no group. */
  async call(
    { call = this.#observer.nextId(), parent, functionPath, args }: ShardCall,
    kind: FunctionKind,
    identity: Identity | null,
    run: () => Promise<ShardAnswer>,
  ): Promise<ShardAnswer> {
    const since = this.#now();
    if (this.#observer.isSated()) {
      this.#observer.skip(1, since);
      return run();
    }
    const object = this.#object;
    const answer = await this.#observer.within({ call, functionPath, object }, run);
    const at = this.#now();
    const outcome = answer.ok ? "ok" : answer.body.error.code;
    const userId = identity?.userId ?? null;
    this.#observer.tell({
      type: "call",
      at,
      object,
      call,
      kind,
      functionPath,
      args,
      userId,
      outcome,
      ms: at - since,
      ...(parent === undefined ? {} : { parent }),
    });
    return answer;
  }

  /** A live query runs again: what it logs is its own. */
  live<Result>(functionPath: string, run: () => Result): Result {
    return this.#observer.within({ functionPath, object: this.#object }, run);
  }

  /** A stream is made, and told as a call when it is over. `args` are wire-encoded. */
  stream(
    functionPath: string,
    args: unknown,
    identity: Identity | null,
    open: () => Promise<OpenedStream>,
  ): Promise<OpenedStream> {
    const call = this.#observer.nextId();
    const object = this.#object;
    const since = this.#now();
    const over = (outcome: string): void => {
      const at = this.#now();
      const userId = identity?.userId ?? null;
      const ms = at - since;
      this.#observer.tell({ type: "call", at, object, call, kind: "stream", functionPath, args, userId, outcome, ms });
    };
    const within = <Result>(run: () => Result): Result => this.#observer.within({ call, functionPath, object }, run);
    return observedStream(open, within, over);
  }

  /** A group is on its way to disk. */
  committed(calls: readonly MutationCall[], { outcomes, ends }: GroupResult, flush: Flush): void {
    const at = this.#now();
    const codes = outcomes.map((outcome) => (outcome.ok ? undefined : outcome.error.code));
    const ran = { at, object: this.#object, calls, codes, ends, flush };
    const isTold = !this.#isPassedOver && !this.#observer.isSated();
    this.#takeBack();
    if (isTold) this.#observer.ran(ran);
    else this.#observer.skip(eventsOf(ran), at, ran);
    tellMisplaced(this.#observer, this.#object, at, calls, outcomes);
    if (flush.changes.length === 0) return;
    if (isTold) this.#begin(flush, at, () => writersOf(calls, ends));
    else this.#flush = SKIPPED;
  }

  /** A turn that is no group has changed rows. */
  swept(flush: Flush, by: ObservedCommit["by"]): void {
    const at = this.#now();
    tellCommit(this.#observer, this.#object, at, flush, by);
    this.#begin(flush, at, () => []);
  }

  /** What is sent from now on is of this flush. */
  #begin({ fromSeq, toSeq }: Flush, at: number, writers: () => readonly string[]): void {
    let found: readonly string[] | undefined;
    this.#flush = { fromSeq, toSeq, at, calls: () => (found ??= writers()) };
  }

  lost(calls: readonly MutationCall[], code: string): void {
    this.#takeBack();
    noteArrivals(this.#observer, calls, this.#now);
    tellLost(this.#observer, this.#object, this.#now(), calls, code);
  }

  socket(connection: Connection, state: ObservedSocket["state"], close?: { code: number; reason: string }): void {
    const { id, identity, clientId } = connection;
    if (state === "closed")
      for (const stream of this.#streams.get(connection)?.keys() ?? []) this.streamEnded(connection, stream);
    this.#observer.tell({
      type: "socket",
      at: this.#now(),
      object: this.#object,
      socket: id,
      state,
      userId: identity?.userId ?? null,
      ...(clientId === undefined ? {} : { clientId }),
      ...close,
    });
  }

  subscription({ id: socket }: Connection, news: SubscriptionNews): void {
    this.#observer.tell({ type: "subscription", at: this.#now(), object: this.#object, socket, ...news });
  }

  /** A subscription was refused, or was ended by an error. */
  refused(connection: Connection, frame: SubscribeFrame | ShapeSubscribeFrame | StreamFrame, error: unknown): void {
    const cause = isLunoraError(error) ? error.code : "INTERNAL";
    this.subscription(connection, { ...newsOf(frame), state: "refused", cause });
  }

  streamBegan(connection: Connection, id: string, name: string, args: unknown): void {
    const streams = this.#streams.get(connection) ?? new Map<string, string>();
    this.#streams.set(connection, streams.set(id, name));
    this.subscription(connection, { id, kind: "stream", name, args, state: "began" });
  }

  streamEnded(connection: Connection, id: string): void {
    const streams = this.#streams.get(connection);
    const name = streams?.get(id);
    if (streams === undefined || name === undefined) return;
    streams.delete(id);
    if (streams.size === 0) this.#streams.delete(connection);
    this.subscription(connection, { id, kind: "stream", name, state: "ended" });
  }

  /** `holds`: the client's result is still the result. */
  queryBegan(
    connection: Connection,
    id: string,
    query: SubscribeFrame["query"],
    answer: LiveAnswer,
    holds: boolean,
    host: LiveHost,
  ): void {
    this.subscription(connection, queryNews(id, query, answer, holds, host));
  }

  /** `cause`: why the client's view is not continued. */
  shapeBegan(
    connection: Connection,
    frame: ShapeSubscribeFrame,
    cause: ResetCause | undefined,
    pieces: readonly string[],
  ): void {
    this.subscription(connection, shapeNews(frame, cause, pieces));
  }

  /** `sent` is what the client had. */
  queryPoked(connection: Connection, id: string, name: string, answer: LiveAnswer, sent: LiveAnswer | undefined): void {
    if (this.#skips(connection)) return;
    let ofAnswer = this.#answers.get(answer);
    if (ofAnswer === undefined) this.#answers.set(answer, (ofAnswer = new Map()));
    let facts = ofAnswer.get(sent);
    if (facts === undefined) ofAnswer.set(sent, (facts = answerFacts(answer, sent)));
    this.#poked(connection, { id, kind: "query", name, ...facts });
  }

  shapePoked(connection: Connection, id: string, name: string, pieces: readonly string[]): void {
    if (this.#skips(connection)) return;
    const facts = patchFacts(pieces) ?? { rowsIn: 0, rowsOut: 0 };
    this.#poked(connection, { id, kind: "shape", name, ...facts });
  }

  /** Whether the present flush is not told; what it does to the socket is counted. */
  #skips(connection: Connection): boolean {
    if (this.#flush !== SKIPPED) return false;
    this.#skipped.add(connection);
    return true;
  }

  /** The present flush does something to a subscription. */
  #poked(connection: Connection, part: ObservedPokePart): void {
    if (this.#flush === undefined) return;
    const parts = this.#parts.get(connection);
    if (parts === undefined) this.#parts.set(connection, [part]);
    else parts.push(part);
  }

  /** What was queued for a socket is handed to the platform: all of it, unless a fault is in the way. */
  delivered(connection: SocketConnection, messages: readonly string[]): readonly string[] {
    this.#tellPoke(connection, messages);
    return this.faults.through(connection, messages);
  }

  #tellPoke(connection: Connection, messages: readonly string[]): void {
    const subscriptions = this.#parts.get(connection);
    if (subscriptions === undefined || this.#flush === undefined) return;
    this.#parts.delete(connection);
    const { fromSeq, toSeq, at: since, calls } = this.#flush;
    const at = this.#now();
    this.#observer.tell({
      type: "poke",
      at,
      object: this.#object,
      socket: connection.id,
      fromSeq,
      toSeq,
      frames: messages.length,
      bytes: this.#bytesOf(messages),
      subscriptions,
      calls: calls(),
      ms: at - since,
    });
  }

  #bytesOf(messages: readonly string[]): number {
    if (this.#measured.messages !== messages) {
      const bytes = messages.reduce((sum, text) => sum + encoder.encode(text).byteLength, 0);
      this.#measured = { messages, bytes };
    }
    return this.#measured.bytes;
  }

  /** Everything of the present flush has left. */
  settled(): void {
    this.#flush = undefined;
    if (this.#skipped.size > 0) this.#observer.skip(this.#skipped.size, this.#now());
    this.#skipped.clear();
    this.#parts.clear();
    this.#answers.clear();
  }
}
