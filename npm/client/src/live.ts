import { ID_RANDOM_BYTES, mintId, objectOf } from "@lunora/protocol";
import type { ClientFrame, FunctionReference } from "@lunora/protocol";

import type { AuthToken, LunoraClientOptions } from "./client.ts";
import { statusOfConnection } from "./connection.ts";
import { hostEnvironment } from "./environment.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Channel, ChannelEvent, ExtensionHost } from "./extension.ts";
import { Http } from "./http.ts";
import { Layers } from "./layers.ts";
import { Link } from "./link.ts";
import type { LinkHost } from "./link.ts";
import { Mutations } from "./mutations.ts";
import { callSafely, Observable } from "./observable.ts";
import type { Box, Offline, OfflineHost } from "./offline-part.ts";
import type { LayerHost } from "./overlay.ts";
import type { TakeDelta } from "./query-state.ts";
import { DEFAULT_RETRY, retryDelay } from "./retry.ts";
import type { Delays } from "./retry.ts";
import { Session } from "./session.ts";
import type { ShapesPart } from "./shapes-part.ts";
import type { ConnectionStatus } from "./types.ts";
import type { View } from "./view.ts";
import { Views } from "./views.ts";

const AGAIN: Delays = { initialDelayMs: 500, maxDelayMs: 30_000 };

/**
 * The live half of a client: who is signed in, the connections, and the order of things. Everything
 * that one message brings is applied, then optimistic layers run over it, then listeners are told,
 * then callers get their results.
 */
export class Live implements LinkHost, LayerHost, ExtensionHost, OfflineHost {
  // Declared only, as the constructor sets them: a field without a value is code in every page.
  declare readonly url: string;
  declare readonly environment: ClientEnvironment;
  declare readonly http: Http;
  declare readonly clientId: string;
  declare readonly hasSockets: boolean;
  declare readonly shapes: ShapesPart | undefined;
  declare readonly pageDeltas: TakeDelta | undefined;
  declare readonly offline: Offline | undefined;
  declare readonly session: Session;
  declare readonly mutations: Mutations;
  readonly departures: Set<(isClosed: boolean) => void> = new Set();
  readonly connectionStatus: Observable<ConnectionStatus> = new Observable("idle");
  readonly pendingCount: Observable<number> = new Observable(0);
  readonly links: Map<string, Link> = new Map();
  readonly watched: Views = new Views(this);
  readonly layers: Layers = new Layers(this);
  /** What is to be done at the end of this turn, when listeners have been told. */
  afterwards: (() => void)[] = [];
  readonly #endNetwork: (() => void) | undefined;
  /** The identity that views and mutations were last made active for. */
  #identity: string | undefined;
  #serial = 0;
  #isClosed = false;
  #depth = 0;
  /** A turn has ended while layers were not over. */
  #mustCommit = false;

  constructor(options: LunoraClientOptions) {
    const { fetch, retry, offline, shapes, pageDeltas, subject } = options;
    const environment = { ...hostEnvironment(), ...options.environment, ...(fetch && { fetch }) };
    const hasSockets = options.transport !== "http" && environment.WebSocket !== undefined;
    this.url = options.url.replace(/\/+$/, "");
    this.environment = environment;
    this.hasSockets = hasSockets;
    this.shapes = shapes;
    this.pageDeltas = pageDeltas;
    // Workers have no randomness while they start, and need none here.
    this.clientId = hasSockets ? this.mintId() : "";
    this.mutations = new Mutations(this, options.maxItems ?? 1_000);
    this.session = new Session(options.token ?? null, subject, () => this.transact(() => this.#signIn()));
    this.http = new Http(this, { ...DEFAULT_RETRY, ...retry });
    if (!hasSockets) return;
    this.offline = offline?.(this);
    this.#signIn();
    this.#askToken(1);
    this.#endNetwork = environment.onNetworkChange((isOnline) =>
      this.transact(() => {
        for (const link of this.links.values()) link.dispatch({ type: "network", isOnline });
      }),
    );
  }

  // Who it is

  setAuthToken(token: AuthToken, subject: string | undefined): void {
    this.transact(() => {
      this.mutations.rejectUnclaimed();
      this.session.set(token, subject);
      const { identity } = this.session;
      const isSame = identity === this.#identity;
      // Who signs out of a known identity into another one begins all of them anew.
      const willSignOut = !isSame && identity !== undefined && this.#identity !== undefined;
      for (const link of willSignOut ? [] : this.links.values()) {
        // Sockets of the same identity go on with the token they have.
        if (!isSame || link.state.phase === "refused" || link.state.phase === "waiting") link.reset();
      }
      this.#signIn();
      this.#askToken(1);
    });
  }

  /** Learns who is signed in, where only the provider of tokens can say. */
  #askToken(attempt: number): void {
    if (this.session.identity !== undefined || this.#isClosed) return;
    this.session.token().catch((error: unknown) => {
      this.environment.report(error);
      this.after(attempt, () => this.#askToken(attempt + 1));
    });
  }

  /** Makes what belongs to the session's identity active, if it is known. */
  #signIn(): void {
    const { identity } = this.session;
    if (identity === undefined) return;
    const before = this.#identity;
    this.#identity = identity;
    if (before !== identity) {
      if (before !== undefined) this.#signOut(before);
      this.mutations.signIn();
      const ready = (): void =>
        this.transact(() => {
          if (this.#identity === identity) this.mutations.ready();
        });
      if (this.offline) this.offline.signIn(identity, ready);
      else ready();
    }
    this.mutations.claim();
    this.activate();
  }

  /** Nothing of the earlier identity is shown, and none of its sockets is used. */
  #signOut(before: string): void {
    this.offline?.signOut();
    for (const link of this.links.values()) link.reset();
    const channels = Array.from(this.links.values(), (link) => [...link.channels.values()]).flat();
    for (const channel of new Set<Channel>([...this.watched.all.values(), ...channels]))
      this.step(channel, { type: "forget" });
    this.mutations.signOut(before);
    for (const depart of this.departures) depart(false);
  }

  /** Shows and sends what waits of who is signed in. */
  readonly activate = (): void => {
    const undecided = this.mutations.undecided();
    this.layers.addMissing(undecided);
    for (const { shard } of undecided) this.need(shard);
  };

  adopt(boxes: readonly Box[]): void {
    this.transact(() => {
      this.mutations.adopt(boxes);
      this.activate();
    });
  }

  restore(): void {
    this.transact(() => this.watched.restore());
  }

  /** After a pause that grows with the attempts. */
  after(attempt: number, work: () => void): void {
    const delay = retryDelay(attempt, this.environment.random(), AGAIN);
    this.environment.setTimer(delay, () => this.transact(work));
  }

  mintId(): string {
    return mintId(this.environment.randomBytes(ID_RANDOM_BYTES));
  }

  readonly report = (error: unknown): void => this.environment.report(error);

  // Links

  shardOf({ address }: Pick<FunctionReference, "address">, args: unknown = {}, shardKey?: string): string | undefined {
    return objectOf(address, args as Record<string, unknown>, shardKey);
  }

  open(channel: Channel & { readonly shard: string }): void {
    channel.id ||= `s${++this.#serial}`;
    const link = this.#linkOf(channel.shard);
    link.channels.set(channel.id, channel);
    link.send(channel.openFrame());
    if (link.refusal) this.step(channel, { type: "failed", error: link.refusal });
    this.need(channel.shard);
  }

  close(channel: Channel): void {
    const link = this.links.get(channel.shard ?? "");
    if (link?.channels.delete(channel.id)) {
      const frame = channel.closeFrame();
      if (frame) link.send(frame);
      this.need(link.shard);
    }
    channel.id = "";
  }

  send(shard: string, frame: ClientFrame): boolean {
    return this.links.get(shard)?.send(frame) ?? false;
  }

  step(channel: Channel, event: ChannelEvent): void {
    this.watched.step(channel, event);
  }

  #linkOf(shard: string): Link {
    let link = this.links.get(shard);
    if (!link) this.links.set(shard, (link = new Link(shard, this)));
    return link;
  }

  /** Tells the link whether there is something to do for it. */
  need(shard: string): Link {
    const link = this.#linkOf(shard);
    const isNeeded = link.channels.size > 0 || this.mutations.isWaiting(shard);
    link.dispatch({ type: "need", isNeeded });
    return link;
  }

  statusOf(shard: string): ConnectionStatus {
    const link = this.links.get(shard);
    return link ? statusOfConnection(link.state) : "idle";
  }

  end(): void {
    this.#isClosed = true;
    this.#endNetwork?.();
    this.offline?.close();
    this.watched.close();
    for (const depart of this.departures) depart(true);
    for (const link of this.links.values()) link.close();
  }

  // Turns

  readonly transact = (work: () => void): void => {
    if (this.#isClosed) return;
    this.#depth++;
    try {
      work();
    } finally {
      if (--this.#depth === 0) this.#commit();
    }
  };

  #commit(): void {
    const { layers, watched, afterwards } = this;
    this.#mustCommit = layers.isApplying;
    if (this.#mustCommit) return;
    const { touched } = watched;
    watched.touched = new Set();
    this.afterwards = [];
    layers.run(touched, () => this.#show(touched, afterwards));
  }

  #show(touched: Set<View>, afterwards: readonly (() => void)[]): void {
    if (this.#isClosed) return;
    const { report } = this;
    const changed: Pick<View, "notify">[] = [...touched].filter((view) => view.publish(this.layers.overlay));
    const statuses = new Set(Array.from(this.links.keys(), (shard) => this.statusOf(shard)));
    const status = (["offline", "connecting", "connected"] as const).find((worst) => statuses.has(worst)) ?? "idle";
    if (this.connectionStatus.change(status)) changed.push(this.connectionStatus);
    if (this.pendingCount.change(this.mutations.pending)) changed.push(this.pendingCount);
    for (const store of changed) store.notify(report);
    for (const view of touched) view.tell(report);
    for (const work of afterwards) callSafely(work, report);
    if (this.#mustCommit) this.#commit();
  }
}
