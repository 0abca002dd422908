import type { ShapeSubscribeFrame } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import { databaseFactory } from "../database.ts";
import { collapse } from "./collapse.ts";
import type { Connection, SavedSubscription } from "./connection.ts";
import { clientPosition } from "./flush.ts";
import type { Flush } from "./flush.ts";
import type { AskedShape, LiveHost, ShapePart } from "./live-host.ts";
import { PokeRound, sendPoke } from "./poke.ts";
import type { PokePart } from "./poke.ts";
import { causeOfReset } from "./resume.ts";
import { ShapeCatalog } from "./shape-catalog.ts";
import type { CatalogShape } from "./shape-catalog.ts";
import { ShapeGroups } from "./shape-groups.ts";
import type { TableChanges } from "./shape-groups.ts";
import { shapeRequest } from "./shape-subscription.ts";
import type { ShapeGroup, ShapeMembership, ShapeRequest, ShapeSubscription } from "./shape-subscription.ts";

const WHERE_DEADLINE = 10_000;

/** The shapes that sockets are subscribed to: seeds, pokes, resumption. */
export class LiveShapes implements ShapePart {
  readonly #host: LiveHost;
  readonly #catalog: ShapeCatalog;
  readonly #groups: ShapeGroups;
  readonly #connections = new Map<Connection, Map<string, ShapeSubscription>>();
  /** Those whose rows are on their way from elsewhere. They are in `#connections`, and in no group. */
  readonly #waiting = new Set<ShapeSubscription>();
  #lastSeed: { readonly key: string; readonly head: number; readonly pieces: readonly string[] } | undefined;
  #pokes = 0;

  /** `deadline` is how long a `where`, and the import of its module, may take, milliseconds. */
  constructor(host: LiveHost, deadline: number = WHERE_DEADLINE) {
    this.#host = host;
    const { storage, schema, scope } = host;
    this.#catalog = new ShapeCatalog(host, deadline);
    this.#groups = new ShapeGroups({
      find: { storage, schema, scope },
      createDatabase: databaseFactory(schema),
      now: () => host.now(),
      deadline,
    });
  }

  /** Groups and memberships that are kept: none when nobody is subscribed. */
  get size(): { readonly groups: number; readonly memberships: number } {
    return this.#groups.size;
  }

  /** Shapes that somebody is subscribed to, each for those who share its condition. */
  get groups(): Iterable<ShapeGroup> {
    return this.#groups.all;
  }

  get mirrored(): Iterable<ShapeMembership> {
    const { mirror } = this.#host;
    const all = [...this.#groups.all, ...Array.from(this.#waiting, ({ group }) => group)];
    return all.map(({ membership }) => membership).filter(({ table }) => mirror?.table(table.name) === table);
  }

  find(name: string): Promise<CatalogShape> {
    return this.#catalog.get(name);
  }

  async ask(name: string, wireArgs: unknown, identity: Identity | null): Promise<AskedShape> {
    const request = shapeRequest(this.#host, await this.#catalog.get(name), wireArgs);
    return { shape: request.shape, predicate: await this.#groups.ask(request, identity) };
  }

  async subscribe(connection: Connection, frame: ShapeSubscribeFrame): Promise<void> {
    const { id } = frame;
    this.unsubscribe(connection, id);
    const request = await this.#request(connection, frame.shape.name, frame.shape.args);
    const subscription = await this.#add(connection, id, request);
    const rows = this.#rowsOf(subscription);
    if (rows !== undefined) {
      this.#await(subscription, rows, () => this.#answer(subscription, frame));
      return;
    }
    this.#groups.join(subscription, subscription.group);
    try {
      this.#answer(subscription, frame);
    } catch (error) {
      this.unsubscribe(connection, id);
      throw error;
    }
  }

  /** What has to be waited for before the subscription can be answered; `undefined`: nothing. */
  #rowsOf({ group: { membership } }: ShapeSubscription): Promise<void> | undefined {
    const { mirror } = this.#host;
    return mirror?.table(membership.table.name) === membership.table ? mirror.fetch(membership) : undefined;
  }

  /** Waits outside of the queue, then goes on in a turn. */
  #await(subscription: ShapeSubscription, rows: Promise<void>, then: () => void): void {
    this.#waiting.add(subscription);
    const arrive = (problem?: { readonly error: unknown }): Promise<void> =>
      this.#host.turn(async () => {
        // Given up meanwhile, or for another under its id.
        if (!this.#waiting.has(subscription)) return;
        try {
          if (problem !== undefined) throw problem.error;
          // Rows that the condition is made from may be others by now.
          subscription.group = await this.#groups.find(subscription, subscription.connection.identity);
          const more = this.#rowsOf(subscription);
          if (more !== undefined) {
            this.#await(subscription, more, then);
            return;
          }
          this.#waiting.delete(subscription);
          this.#groups.join(subscription, subscription.group);
          this.#host.changed(subscription.connection);
          then();
        } catch (error) {
          this.#fail(subscription, error);
        }
      });
    void rows.then(
      () => arrive(),
      (error: unknown) => arrive({ error }),
    );
  }

  /** Refuses what cannot be subscribed to. */
  async #request(connection: Connection, name: string, wireArgs: unknown): Promise<ShapeRequest> {
    const shape = await this.#catalog.get(name);
    await this.#host.authorize(connection, `shapes:${name}`);
    return shapeRequest(this.#host, shape, wireArgs);
  }

  /** It has no group yet that it would be in. */
  async #add(connection: Connection, id: string, request: ShapeRequest): Promise<ShapeSubscription> {
    const group = await this.#groups.find(request, connection.identity);
    const subscription: ShapeSubscription = {
      ...request,
      connection,
      id,
      idText: JSON.stringify(id),
      group,
      checkpoint: undefined,
    };
    let subscriptions = this.#connections.get(connection);
    if (subscriptions === undefined) this.#connections.set(connection, (subscriptions = new Map()));
    subscriptions.set(id, subscription);
    return subscription;
  }

  /** What was missed since the checkpoint, or everything. */
  #answer(subscription: ShapeSubscription, frame: ShapeSubscribeFrame): void {
    const { storage } = this.#host;
    const { membership } = subscription.group;
    const { version } = membership;
    const [head, epoch] = [this.#host.head(), this.#host.epoch()];
    const view = { checkpoint: frame.sinceCheckpoint, epoch: frame.sinceEpoch, version: frame.sinceVersion };
    const since = frame.sinceCheckpoint as number;
    const cause = causeOfReset(view, { head, epoch, version });
    const missed = cause === undefined ? this.#host.changesSince(since) : undefined;
    const { idText } = subscription;
    const part: PokePart =
      missed === undefined
        ? { idText, pieces: this.#seed(membership, head), reset: true, version }
        : {
            idText,
            pieces: membership
              .patch(
                storage,
                missed.filter(({ table }) => table === membership.table),
              )
              .finish(),
            baseCheckpoint: since,
          };
    const reset = missed === undefined ? (cause ?? "trimmed") : undefined;
    this.#host.watch?.shapeBegan(subscription.connection, frame, reset, part.pieces);
    const lastMutationId = this.#host.lastMutationId(subscription.connection);
    sendPoke(subscription.connection, { pokeId: this.#nextPokeId(), epoch, checkpoint: head, lastMutationId }, [part]);
    subscription.checkpoint = head;
  }

  /** Many subscribe to the same at once after a deployment, so the last short seed is kept. */
  #seed(membership: ShapeMembership, head: number): readonly string[] {
    const last = this.#lastSeed;
    if (last?.head === head && last.key === membership.key) return last.pieces;
    const pieces = membership.seed(this.#host.storage);
    this.#lastSeed = pieces.length === 1 ? { key: membership.key, head, pieces } : undefined;
    return pieces;
  }

  #nextPokeId(): string {
    this.#pokes += 1;
    return this.#pokes.toString(36);
  }

  unsubscribe(connection: Connection, id: string, cause?: string): void {
    const subscriptions = this.#connections.get(connection);
    const subscription = subscriptions?.get(id);
    if (subscriptions === undefined || subscription === undefined) return;
    const { name } = subscription.shape;
    const why = cause === undefined ? {} : { cause };
    this.#host.watch?.subscription(connection, { id, kind: "shape", name, state: "ended", ...why });
    this.#groups.leave(subscription);
    this.#waiting.delete(subscription);
    subscriptions.delete(id);
    if (subscriptions.size === 0) this.#connections.delete(connection);
  }

  close(connection: Connection): void {
    for (const id of this.#connections.get(connection)?.keys() ?? []) this.unsubscribe(connection, id);
  }

  /** Ends a subscription that cannot go on. */
  #fail(subscription: ShapeSubscription, error: unknown): void {
    const { connection, id, shape } = subscription;
    const told = this.#host.failure(`shapes:${shape.name}`, error);
    this.unsubscribe(connection, id, told.code);
    this.#host.ended(connection, "s", id);
    connection.send({ type: "error", id, error: told });
  }

  async flush(flush: Flush): Promise<void> {
    if (this.#connections.size === 0) return;
    const changes = collapse(flush.changes);
    if (changes.size === 0) return;
    const outbox = new Map<Connection, PokePart[]>();
    const { watch } = this.#host;
    const put = (subscription: ShapeSubscription, pieces: readonly string[], version?: string): void => {
      const part = { idText: subscription.idText, pieces, version, baseCheckpoint: subscription.checkpoint };
      watch?.shapePoked(subscription.connection, subscription.id, subscription.shape.name, pieces);
      const parts = outbox.get(subscription.connection);
      if (parts === undefined) outbox.set(subscription.connection, [part]);
      else parts.push(part);
      subscription.checkpoint = flush.toSeq;
    };
    const moved = await this.#groups.renew(changes, (subscription, error) => this.#fail(subscription, error));
    for (const [subscription, before] of moved) {
      const rows = this.#rowsOf(subscription);
      if (rows === undefined) continue;
      moved.delete(subscription);
      this.#groups.leave(subscription);
      // The view is as it was before this flush; what has been missed by then is in the log.
      this.#await(subscription, rows, () => this.#moveLate(subscription, before, flush.fromSeq));
    }
    this.#patchMembers(changes, moved, put);
    this.#patchMoved(changes, moved, put);
    const round = new PokeRound({ epoch: flush.epoch, checkpoint: flush.toSeq }, () => this.#nextPokeId());
    for (const [connection, parts] of outbox) round.send(connection, parts, clientPosition(connection, flush.clients));
  }

  #patchMembers(changes: TableChanges, moved: ReadonlyMap<ShapeSubscription, unknown>, put: Put): void {
    for (const [table, ofTable] of changes) {
      for (const [membership, candidates] of this.#groups.candidates(table, ofTable)) {
        const staying = [...membership.members].filter((subscription) => !moved.has(subscription));
        if (staying.length === 0) continue;
        this.#guard(staying, () => {
          const patch = membership.patch(this.#host.storage, candidates);
          if (patch.isEmpty) return;
          const pieces = patch.finish();
          for (const subscription of staying) put(subscription, pieces);
        });
      }
    }
  }

  #patchMoved(changes: TableChanges, moved: ReadonlyMap<ShapeSubscription, ShapeMembership>, put: Put): void {
    const pairs = new Map<string, ShapeSubscription[]>();
    for (const [subscription, before] of moved) {
      const key = `${before.key}\n${subscription.group.membership.key}`;
      const pair = pairs.get(key);
      if (pair === undefined) pairs.set(key, [subscription]);
      else pair.push(subscription);
    }
    for (const subscriptions of pairs.values()) {
      const [first] = subscriptions as [ShapeSubscription];
      const { membership } = first.group;
      this.#guard(subscriptions, () => {
        const before = moved.get(first) as ShapeMembership;
        const patch = membership.patchFrom(this.#host.storage, before, changes.get(membership.table) ?? []);
        const pieces = patch.finish();
        // Sent even when no row differs: the view has another version now.
        for (const subscription of subscriptions) put(subscription, pieces, membership.version);
      });
    }
  }

  /** The same for one whose rows came later: its view is as of a position. */
  #moveLate(subscription: ShapeSubscription, before: ShapeMembership, since: number): void {
    const { connection, group, idText, checkpoint } = subscription;
    const { membership } = group;
    const [head, epoch] = [this.#host.head(), this.#host.epoch()];
    const missed = this.#host.changesSince(since);
    const ofTable = missed?.filter(({ table }) => table === membership.table);
    const pieces =
      ofTable === undefined
        ? this.#seed(membership, head)
        : membership.patchFrom(this.#host.storage, before, ofTable).finish();
    const start = ofTable === undefined ? { reset: true } : { baseCheckpoint: checkpoint };
    this.#host.watch?.shapePoked(connection, subscription.id, subscription.shape.name, pieces);
    const lastMutationId = this.#host.lastMutationId(connection);
    const part = { idText, pieces, version: membership.version, ...start };
    sendPoke(connection, { pokeId: this.#nextPokeId(), epoch, checkpoint: head, lastMutationId }, [part]);
    subscription.checkpoint = head;
  }

  /** What goes wrong for one shape ends its subscriptions, and nobody else's. */
  #guard(subscriptions: readonly ShapeSubscription[], run: () => void): void {
    try {
      run();
    } catch (error) {
      for (const subscription of subscriptions) this.#fail(subscription, error);
    }
  }

  saved(connection: Connection): SavedSubscription[] {
    const subscriptions = this.#connections.get(connection)?.values() ?? [];
    return Array.from(subscriptions, (subscription) => ({
      id: subscription.id,
      kind: "s",
      name: subscription.shape.name,
      args: subscription.wireArgs,
      ...(this.#waiting.has(subscription) ? { tables: [] } : {}),
    }));
  }

  async restore(connection: Connection, saved: readonly SavedSubscription[]): Promise<void> {
    for (const { id, name, args, tables } of saved) {
      try {
        const subscription = await this.#add(connection, id, await this.#request(connection, name, args));
        const { membership } = subscription.group;
        const { mirror } = this.#host;
        const isCopied = mirror?.table(membership.table.name) === membership.table;
        if (!isCopied || (tables === undefined && mirror?.adopt(membership) === true)) {
          // Nothing was written while the object slept, so the view is at the head, whatever it calls it.
          this.#groups.join(subscription, subscription.group);
        } else {
          const answer = (): void => this.#answer(subscription, { type: "shape_subscribe", id, shape: { name, args } });
          this.#await(subscription, this.#rowsOf(subscription) ?? Promise.resolve(), answer);
        }
      } catch (error) {
        this.#host.ended(connection, "s", id);
        connection.send({ type: "error", id, error: this.#host.failure(`shapes:${name}`, error) });
      }
    }
  }
}

type Put = (subscription: ShapeSubscription, pieces: readonly string[], version?: string) => void;
