import { ID_RANDOM_BYTES, mintId, objectOf } from "@lunora/protocol";
import type { FunctionReference } from "@lunora/protocol";

import type { AuthToken, LunoraClientOptions } from "./client.ts";
import { statusOfConnection } from "./connection.ts";
import { hostEnvironment } from "./environment.ts";
import type { Channel, ExtensionHost } from "./extension.ts";
import { createHttp } from "./http.ts";
import { createLayers } from "./layers.ts";
import type { Layers } from "./layers.ts";
import { createLink } from "./link.ts";
import type { Link, LinkHost } from "./link.ts";
import { createMutations } from "./mutations.ts";
import type { Mutations } from "./mutations.ts";
import { callSafely, Observable } from "./observable.ts";
import type { Offline, OfflineHost } from "./offline-part.ts";
import type { LayerHost } from "./overlay.ts";
import type { TakeDelta } from "./query-state.ts";
import { DEFAULT_RETRY, retryDelay } from "./retry.ts";
import { createSession } from "./session.ts";
import type { Session } from "./session.ts";
import type { ConnectionStatus } from "./types.ts";
import type { View } from "./view.ts";
import { createViews } from "./views.ts";
import type { Views } from "./views.ts";

/** The live half of a client: who is signed in, the connections, and the order of things. */
export interface Live extends LinkHost, LayerHost, ExtensionHost, OfflineHost {
  // What several of these ask for, as it is.
  readonly environment: ExtensionHost["environment"];
  readonly url: string;
  readonly clientId: string;
  readonly session: Session;
  readonly hasSockets: boolean;
  readonly pageDeltas: TakeDelta | undefined;
  readonly transact: (work: () => void) => void;
  readonly step: LinkHost["step"];
  readonly offline: Offline | undefined;
  readonly layers: Layers;
  readonly watched: Views;
  readonly mutations: Mutations;
  readonly connectionStatus: Observable<ConnectionStatus>;
  readonly pendingCount: Observable<number>;
  readonly links: ReadonlyMap<string, Link>;
  /** What is to be done at the end of this turn, when listeners have been told. */
  afterwards: (() => void)[];
  setAuthToken(token: AuthToken, subject: string | undefined): void;
  /** Shows and sends what waits of who is signed in. */
  activate(): void;
  /** After a pause that grows with the attempts. */
  after(attempt: number, work: () => void): void;
  mintId(): string;
  /** Tells the link whether there is something to do for it. */
  need(shard: string): Link;
  statusOf(shard: string): ConnectionStatus;
  end(): void;
}

type Making = { -readonly [Field in keyof Live]: Live[Field] };

/**
 * Everything that one message brings is applied, then optimistic layers run over it, then listeners are told,
 * then callers get their results.
 */
export function createLive(options: LunoraClientOptions): Live {
  const { fetch, retry, shapes, pageDeltas } = options;
  const environment = { ...hostEnvironment(), ...options.environment, ...(fetch && { fetch }) };
  const { report } = environment;
  const hasSockets = options.transport !== "http" && environment.WebSocket !== undefined;
  const url = options.url.replace(/\/+$/, "");
  const session = createSession(() => transact(signIn));
  const links = new Map<string, Link>();
  /** The identity that views and mutations were last made active for. */
  let active: string | undefined;
  let serial = 0;
  let isClosed = false;
  let depth = 0;
  let endNetwork: (() => void) | undefined;

  const mint = (): string => mintId(environment.randomBytes(ID_RANDOM_BYTES));

  // Who it is

  /** Learns who is signed in, where only the provider of tokens can say. */
  const askToken = (attempt: number): void => {
    if (session.identity !== undefined || isClosed) return;
    session.token().catch((error: unknown) => {
      report(error);
      live.after(attempt, () => askToken(attempt + 1));
    });
  };

  /** Makes what belongs to the session's identity active, if it is known. */
  const signIn = (): void => {
    const { mutations, offline } = live;
    const { identity } = session;
    if (identity === undefined) return;
    const before = active;
    active = identity;
    if (before !== identity) {
      if (before !== undefined) signOut(before);
      mutations.signIn();
      const ready = (): void =>
        transact(() => {
          if (active === identity) mutations.ready();
        });
      if (offline) offline.signIn(identity, ready);
      else ready();
    }
    mutations.claim();
    live.activate();
  };

  /** Nothing of the earlier identity is shown, and none of its sockets is used. */
  const signOut = (before: string): void => {
    live.offline?.signOut();
    const channels = new Set<Channel>(live.watched.all.values());
    for (const link of links.values()) {
      link.reset();
      for (const channel of link.channels.values()) channels.add(channel);
    }
    for (const channel of channels) live.step(channel, { type: "forget" });
    live.mutations.signOut(before);
    for (const depart of live.departures) depart(false);
  };

  // Turns

  const transact = (work: () => void): void => {
    if (isClosed) return;
    depth++;
    try {
      work();
    } finally {
      if (--depth === 0) commit();
    }
  };

  const commit = (): void => {
    const { layers, watched, afterwards } = live;
    // What ends while they are not over is made up for when they are.
    if (layers.isApplying) return;
    const { touched } = watched;
    watched.touched = new Set();
    live.afterwards = [];
    layers.run(touched, () => show(touched, afterwards));
  };

  const show = (touched: Set<View>, afterwards: readonly (() => void)[]): void => {
    if (isClosed) return;
    const { connectionStatus, pendingCount } = live;
    const changed: Pick<View, "notify">[] = [...touched].filter((view) => view.publish(live.layers.overlay));
    const statuses = new Set(Array.from(links.values(), ({ state }) => statusOfConnection(state)));
    const status = (["offline", "connecting", "connected"] as const).find((worst) => statuses.has(worst));
    if (connectionStatus.change(status ?? "idle")) changed.push(connectionStatus);
    if (pendingCount.change(live.mutations.pending())) changed.push(pendingCount);
    for (const store of changed) store.notify(report);
    for (const view of touched) view.tell(report);
    for (const work of afterwards) callSafely(work, report);
  };

  // Links

  const linkOf = (shard: string): Link => {
    let link = links.get(shard);
    if (!link) links.set(shard, (link = createLink(shard, live)));
    return link;
  };

  const live = {
    url,
    environment,
    // Workers have no randomness while they start, and need none here.
    clientId: hasSockets ? mint() : "",
    session,
    http: createHttp({ environment, url, session }, { ...DEFAULT_RETRY, ...retry }),
    hasSockets,
    shapes,
    pageDeltas,
    links,
    departures: new Set(),
    connectionStatus: new Observable("idle"),
    pendingCount: new Observable(0),
    afterwards: [],
    report,
    transact,
    setAuthToken(token, subject) {
      transact(() => {
        live.mutations.reject();
        session.set(token, subject);
        const { identity } = session;
        const isSame = identity === active;
        // Who signs out of a known identity into another one begins all of them anew.
        const willSignOut = !isSame && identity !== undefined && active !== undefined;
        for (const link of willSignOut ? [] : links.values()) {
          // Sockets of the same identity go on with the token they have.
          if (!isSame || statusOfConnection(link.state) === "offline") link.reset();
        }
        signIn();
        askToken(1);
      });
    },
    activate() {
      const undecided = live.mutations.undecided();
      live.layers.addMissing(undecided);
      for (const { shard } of undecided) live.need(shard);
    },
    adopt(boxes) {
      transact(() => {
        live.mutations.adopt(boxes);
        live.activate();
      });
    },
    restore: () => transact(() => live.watched.restore()),
    after(attempt, work) {
      environment.setTimer(retryDelay(attempt, environment.random()), () => transact(work));
    },
    mintId: mint,
    shardOf: ({ address }: Pick<FunctionReference, "address">, args: unknown = {}, shardKey?: string) =>
      objectOf(address, args as Record<string, unknown>, shardKey),
    open(channel) {
      channel.id ||= `s${++serial}`;
      const link = linkOf(channel.shard);
      link.channels.set(channel.id, channel);
      link.send(channel.openFrame());
      if (link.refusal) live.step(channel, { type: "failed", error: link.refusal });
      live.need(link.shard);
    },
    close(channel) {
      const link = links.get(channel.shard as string);
      if (link?.channels.delete(channel.id)) {
        const frame = channel.closeFrame();
        if (frame) link.send(frame);
        live.need(link.shard);
      }
      channel.id = "";
    },
    send: (shard, frame) => links.get(shard)?.send(frame) ?? false,
    step: (channel, event) => live.watched.step(channel, event),
    need(shard) {
      const link = linkOf(shard);
      const isNeeded = link.channels.size + live.mutations.pending(shard) > 0;
      link.dispatch({ type: "need", isNeeded });
      return link;
    },
    statusOf(shard) {
      const link = links.get(shard);
      return link ? statusOfConnection(link.state) : "idle";
    },
    end() {
      isClosed = true;
      endNetwork?.();
      live.offline?.close();
      live.watched.close();
      for (const depart of live.departures) depart(true);
      for (const link of links.values()) link.close();
    },
  } satisfies Omit<Live, "layers" | "watched" | "mutations" | "offline"> as Partial<Live> as Making;
  live.layers = createLayers(live);
  live.watched = createViews(live);
  live.mutations = createMutations(live, options.maxItems ?? 1_000);
  session.set(options.token ?? null, options.subject);
  if (hasSockets) {
    live.offline = options.offline?.(live);
    signIn();
    askToken(1);
    endNetwork = environment.onNetworkChange((isOnline) =>
      transact(() => {
        for (const link of links.values()) link.dispatch({ type: "network", isOnline });
      }),
    );
  }
  return live;
}
