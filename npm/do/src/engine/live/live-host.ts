import type { ErrorBody } from "@lunora/errors";
import type { ShapeSubscribeFrame, SubscribeFrame } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity, LunoraDefinition } from "@lunora/server";

import type { StoredRow } from "../document.ts";
import type { ShardWatch } from "../observing/shard-watch.ts";
import type { Schema } from "../schema.ts";
import type { SessionFacts } from "../session.ts";
import type { ShardScope } from "../shard-scope.ts";
import type { SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";
import type { Connection, SavedSubscription } from "./connection.ts";
import type { Flush } from "./flush.ts";
import type { CatalogShape } from "./shape-catalog.ts";
import type { Predicate } from "./shape-predicate.ts";
import type { ShapeGroup, ShapeMembership } from "./shape-subscription.ts";

/** What became of one row since a position of the log: its changes in between are folded into one. */
export interface LoggedChange {
  readonly table: Table;
  readonly id: string;
  /** Before the first of the changes; `undefined`: the row was not there. */
  readonly before: StoredRow | undefined;
  /** Now; `undefined`: the row is gone. */
  readonly after: StoredRow | undefined;
}

/** A query that is run for a subscription. */
export interface LiveQueryCall {
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
  readonly identity: Identity | null;
}

/** Which rows of a shape a caller would get. */
export interface AskedShape {
  readonly shape: CatalogShape;
  readonly predicate: Predicate;
}

/** Who needs what of the database of global tables. */
export interface MirrorUsers {
  /** Whether a live query reads one of its tables. */
  readonly hasQueries: boolean;
  /** Shapes over copies that somebody is subscribed to, or about to be. */
  readonly shapes: Iterable<ShapeMembership>;
}

/** Copies of rows of global tables, which live elsewhere and say nothing when they change. Absent in apps without them. */
export interface LiveMirror {
  /** What a shape over this global table is over; `undefined` for any other table. */
  table(name: string): Table | undefined;
  /**
   * Sees to it that all rows of a shape over a copy are there. `undefined`: they are, as of a moment that lies no further
   * back than polling makes it. Rejects with `GLOBAL_UNAVAILABLE` and `QUERY_TOO_COMPLEX`.
   */
  fetch(membership: ShapeMembership): Promise<void> | undefined;
  /** Whether they are there after sleep, as they were before. */
  adopt(membership: ShapeMembership): boolean;
  /** Somebody reads global tables without copies. */
  watch(): void;
  /** Somebody could not read them: it is told of a change once they can be followed. */
  doubt(): void;
}

/** What live parts need of the shard they live in. All of it is used in turns of the shard's queue only. */
export interface LiveHost {
  readonly definition: LunoraDefinition;
  readonly schema: Schema;
  readonly scope: ShardScope;
  readonly storage: SqlStorage;
  /** Epoch milliseconds. */
  now(): number;
  /** Absent unless somebody listens. */
  readonly watch?: ShardWatch | undefined;
  readonly mirror?: LiveMirror | undefined;
  /** Runs in a turn of the shard's queue; what it sends leaves when the turn ends. Never rejects. */
  turn(run: () => Promise<void>): Promise<void>;
  /** The timeline that positions belong to. */
  epoch(): string;
  /** The newest position; 0 before the first change. */
  head(): number;
  /** The oldest position whose change the log still has; `head() + 1` when it has none. */
  floor(): number;
  /**
   * The rows that changed after the position, each once, in the order of their last change.
   * `undefined`: the log cannot vouch for it (another timeline's position, older than what is kept,
   * newer than the head, or more than can be held at once), so whoever asks has to read afresh.
   */
  changesSince(seq: number): LoggedChange[] | undefined;
  /**
   * Refuses a function or shape that the connection's caller may not reach here: `FORBIDDEN_SHARD`.
   * The app's rule is asked once for each socket and path.
   */
  authorize(connection: Connection, path: string): Promise<void>;
  /**
   * The query of this path, when a client may subscribe to it and it belongs to this shard with
   * these (wire-encoded) arguments. Throws `FUNCTION_NOT_FOUND`, `BAD_REQUEST` or `SHARD_MISMATCH`.
   */
  queryEntry(functionPath: string, args: unknown): FunctionRegistryEntry;
  /**
   * Runs a query; resolves to its wire-encoded result. `facts` is laid over the facts of the
   * query's session, which is how reads are recorded.
   */
  runQuery(call: LiveQueryCall, facts?: Partial<SessionFacts>): Promise<unknown>;
  /** The watermark of the connection's client; `undefined` when it has none or never pushed. */
  lastMutationId(connection: Connection): number | undefined;
  /** What is to be kept of the connection while the object sleeps is different now. */
  changed(connection: Connection): void;
  /** The subscription has been told its end by an error, and is kept no more. */
  ended(connection: Connection, kind: SavedSubscription["kind"], id: string): void;
  /** An error as callers may see it; what is redacted is logged under the name. */
  failure(name: string, error: unknown): ErrorBody;
}

/**
 * A kind of subscription. Every method is called in a turn of the shard's queue, one at a time:
 * never while a group of mutations is open. What it sends leaves when the turn ends.
 */
export interface LivePart<Frame = never> {
  /** Answers the frame: data, resume, error or poke. Throwing sends the error under the frame's id. */
  subscribe(connection: Connection, frame: Frame): Promise<void>;
  unsubscribe(connection: Connection, id: string): void;
  /** The socket is gone. */
  close(connection: Connection): void;
  /** After each commit that changed something. */
  flush(flush: Flush): Promise<void>;
  /** What has to be kept while the object sleeps. */
  saved(connection: Connection): readonly SavedSubscription[];
  /** After sleep, before the first mutation; `saved` holds this part's kind only. */
  restore(connection: Connection, saved: readonly SavedSubscription[]): Promise<void>;
}

/** `LiveQueries` of `live-queries.ts`, made by `new LiveQueries(host)`; keeps subscriptions of kind `q`. */
export interface QueryPart extends LivePart<SubscribeFrame> {
  /** Whether a query that somebody is subscribed to reads a global table. */
  readonly readsGlobals: boolean;
}

/** `LiveShapes` of `live-shapes.ts`, made by `new LiveShapes(host)`; keeps subscriptions of kind `s`. */
export interface ShapePart extends LivePart<ShapeSubscribeFrame> {
  /** Shapes that somebody is subscribed to, each for those who share its condition. */
  readonly groups: Iterable<ShapeGroup>;
  /** See {@link MirrorUsers.shapes}. */
  readonly mirrored: Iterable<ShapeMembership>;
  /** A shape that can be subscribed to here. Rejects as {@link ShapePart.ask} does, arguments aside. */
  find(name: string): Promise<CatalogShape>;
  /** What a caller would get, without subscribing. Throws what refuses the subscription, the app's rule aside. */
  ask(name: string, wireArgs: unknown, identity: Identity | null): Promise<AskedShape>;
}
