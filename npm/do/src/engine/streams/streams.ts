import { LunoraError } from "@lunora/errors";
import { canonicalJson, encodeValue } from "@lunora/protocol";
import type { StreamFrame } from "@lunora/protocol";
import type { FunctionRegistryEntry, Identity } from "@lunora/server";

import type { ShardParts } from "../shard-hosts.ts";
import type { SocketConnection } from "../sockets/socket-connection.ts";
import { chooseRun } from "./choose-run.ts";
import { streamHostOf } from "./shard-streams.ts";
import type { StreamHost, StreamPart } from "./stream-host.ts";
import { DEFAULT_STREAM_LIMITS, SHARD_RUNS, SOCKET_STREAMS } from "./stream-limits.ts";
import type { StreamLimits } from "./stream-limits.ts";
import type { StreamReader } from "./stream-reader.ts";
import { interrupted, StreamRun } from "./stream-run.ts";
import type { RunSpec } from "./stream-run.ts";
import { Transcripts } from "./transcripts.ts";
import type { StoredRun } from "./transcripts.ts";

/** Claims that differ from token to token of one identity. */
const TOKEN_CLAIMS: ReadonlySet<string> = new Set(["expiresAt", "exp", "iat", "nbf", "jti"]);

interface Subscription {
  readonly run: StreamRun;
  readonly reader: StreamReader;
}

/** The streams of one shard. They run beside its queue, and read what is committed. */
export class Streams implements StreamPart {
  readonly #host: StreamHost;
  readonly #limits: StreamLimits;
  readonly #transcripts: Transcripts;
  /** Durable runs that go on, by their key. */
  readonly #shared = new Map<string, StreamRun>();
  readonly #subscriptions = new Map<SocketConnection, Map<string, Subscription>>();
  #runs = 0;

  constructor(host: StreamHost) {
    this.#host = host;
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...host.limits };
    this.#transcripts = new Transcripts(host.storage, this.#limits.keptBytes, () => host.wakeAt(host.now()));
    this.#transcripts.endAll(host.failure("a stream", interrupted()), host.now());
  }

  async open(
    connection: SocketConnection,
    { id, query, ...wanted }: StreamFrame,
    isWanted: () => boolean,
  ): Promise<{ over: Promise<void> }> {
    const { functionPath, args } = query;
    const entry = this.#host.entry(functionPath, args);
    await this.#host.authorize(connection, functionPath);
    const durability = await this.#host.durability(functionPath, entry);
    const key = durability === undefined ? undefined : await runKey(connection.identity, functionPath, args);
    if (!isWanted()) return { over: Promise.resolve() };
    if ((this.#subscriptions.get(connection)?.size ?? 0) >= SOCKET_STREAMS)
      throw new LunoraError("SUBSCRIPTION_LIMIT", `a socket has at most ${SOCKET_STREAMS} streams at once`, {
        data: { limit: SOCKET_STREAMS },
      });
    const start = (generation?: string): StreamRun => this.#start(connection.identity, query, entry, generation);
    if (durability === undefined || key === undefined) {
      if (wanted.generation !== undefined) throw interrupted();
      return this.#join(start(), connection, id, 0);
    }
    const now = this.#host.now();
    const stored = this.#transcripts.find(key, now);
    const running = this.#shared.get(key);
    const choice = chooseRun(wanted, stored);
    if (choice.kind === "interrupted") throw interrupted();
    if (choice.kind === "join" && stored !== undefined) {
      const run = running?.generation === stored.generation ? running : this.#stored(functionPath, stored);
      return this.#join(run, connection, id, choice.after);
    }
    this.#assertRoom();
    const generation = this.#host.newName();
    this.#transcripts.begin(key, generation, durability.ttlMs, now);
    const run = start(generation);
    this.#shared.set(key, run);
    void run.over.then(() => {
      if (this.#shared.get(key) === run) this.#shared.delete(key);
    });
    return this.#join(run, connection, id, 0);
  }

  /** A run that is over: only read. */
  #stored(functionPath: string, { generation, chunks, isRunning, error }: StoredRun): StreamRun {
    // Its end could not be written.
    const told = isRunning ? this.#host.failure(functionPath, interrupted()) : error;
    return this.#run({ functionPath, generation, stored: { chunks, ...(told === undefined ? {} : { error: told }) } });
  }

  #run(spec: Omit<RunSpec, "limits">): StreamRun {
    return new StreamRun(this.#host, this.#transcripts, { ...spec, limits: this.#limits }, ({ connection, id }) => {
      this.#forget(connection, id);
      this.#host.ended(connection, id);
    });
  }

  #assertRoom(): void {
    if (this.#runs >= SHARD_RUNS)
      throw new LunoraError("RATE_LIMITED", `a shard runs at most ${SHARD_RUNS} streams at once`, {
        data: { limit: SHARD_RUNS },
      });
  }

  #start(
    identity: Identity | null,
    { functionPath, args }: StreamFrame["query"],
    entry: FunctionRegistryEntry,
    generation: string | undefined,
  ): StreamRun {
    this.#assertRoom();
    const run = this.#run({ functionPath, generation });
    this.#runs += 1;
    void run.over.then(() => (this.#runs -= 1));
    this.#host.open(functionPath, entry, args, identity, run.signal).then(
      (opened) => run.start(opened),
      (error: unknown) => run.fail(error),
    );
    return run;
  }

  #join(run: StreamRun, connection: SocketConnection, id: string, after: number): { over: Promise<void> } {
    const reader: StreamReader = { connection, id, position: after, isWaiting: false };
    let own = this.#subscriptions.get(connection);
    if (own === undefined) this.#subscriptions.set(connection, (own = new Map()));
    own.set(id, { run, reader });
    run.join(reader);
    return { over: run.over };
  }

  #forget(connection: SocketConnection, id: string): Subscription | undefined {
    const own = this.#subscriptions.get(connection);
    const subscription = own?.get(id);
    own?.delete(id);
    if (own?.size === 0) this.#subscriptions.delete(connection);
    return subscription;
  }

  leave(connection: SocketConnection, id: string): void {
    const subscription = this.#forget(connection, id);
    subscription?.run.leave(subscription.reader);
  }

  close(connection: SocketConnection): void {
    for (const id of this.#subscriptions.get(connection)?.keys() ?? []) this.leave(connection, id);
  }

  nextExpiry(): number | null {
    return this.#transcripts.nextExpiry();
  }

  sweep(now: number): number | null {
    return this.#transcripts.sweep(now);
  }
}

/** Names what is run: for whom, what, with what. Two identities never share a run. */
async function runKey(identity: Identity | null, functionPath: string, args: unknown): Promise<string> {
  const claims =
    identity === null
      ? null
      : encodeValue(Object.fromEntries(Object.entries(identity).filter(([name]) => !TOKEN_CLAIMS.has(name))));
  const text = canonicalJson([claims, functionPath, args]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Gives shards their streams, as a part of the app's definition: `{ schema, functions, app, streams }`. */
export function streams(parts: ShardParts): StreamPart {
  return new Streams(streamHostOf(parts));
}
