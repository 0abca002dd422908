import { LunoraError } from "@lunora/errors";
import type { PushEntry } from "@lunora/protocol";
import { authorizeShard } from "@lunora/runtime";
import type { ShardAnswer, ShardCall, ShardJobRequest } from "@lunora/runtime";
import type { FunctionRegistryEntry, Identity, LunoraDefinition } from "@lunora/server";

import type { ShardInsides } from "./admin/inspect/insides.ts";
import { calledMutation, identityOf, toAnswer } from "./called-mutation.ts";
import { ClientLedger } from "./client-ledger.ts";
import type { Commit } from "./commit.ts";
import { creationClock } from "./creation-clock.ts";
import { databaseFactory } from "./database.ts";
import { Deadline } from "./deadline.ts";
import type { FindHost } from "./find.ts";
import { failureOf, FunctionRunner } from "./function-runner.ts";
import type { Globals, GlobalsFactory } from "./globals/globals.ts";
import type { GlobalSession } from "./globals/global-session.ts";
import type { GlobalMirror } from "./globals/mirror.ts";
import { runGroup } from "./group-turn.ts";
import type { GroupTurnHost } from "./group-turn.ts";
import { ResultKeeper } from "./idempotency.ts";
import type { Flush } from "./live/flush.ts";
import type { QueryPart, ShapePart } from "./live/live-host.ts";
import { LiveQueries } from "./live/live-queries.ts";
import { noShapes } from "./live/no-shapes.ts";
import type { ShapingFactory } from "./live/shaping.ts";
import { within } from "./live/within.ts";
import { commitAlone, sweep } from "./lone-turn.ts";
import { MIRROR_META, readMeta, removeMeta, writeMeta } from "./meta.ts";
import type { MutationCall } from "./mutation-call.ts";
import type { ShardWatch } from "./observing/shard-watch.ts";
import { OpenWrites } from "./open-writes.ts";
import { OpLog } from "./op-log.ts";
import { PressureGauge } from "./pressure-gauge.ts";
import { Registration } from "./registration.ts";
import { DEFAULT_RETENTION } from "./retention.ts";
import { Schema } from "./schema.ts";
import type { OutboxHost, ScheduleOutbox } from "./scheduling/schedule-outbox.ts";
import type { SessionFacts } from "./session.ts";
import { ShardAlarm } from "./shard-alarm.ts";
import type { EngineOptions, ShardHost } from "./shard-host.ts";
import { liveHostOf } from "./shard-hosts.ts";
import type { ShardParts } from "./shard-hosts.ts";
import { livesHere, scopeOf } from "./shard-scope.ts";
import type { ShardScope } from "./shard-scope.ts";
import type { HostSocket } from "./sockets/host-socket.ts";
import { pushedCalls } from "./sockets/push-entries.ts";
import type { SocketConnection } from "./sockets/socket-connection.ts";
import { SocketHub } from "./sockets/socket-hub.ts";
import { applySchema, createInternalTables } from "./storage-layout.ts";
import type { StreamFactory } from "./streams/stream-host.ts";
import type { Table } from "./table.ts";
import type { DatabaseFactory } from "./triggers.ts";
import { TurnQueue } from "./turn-queue.ts";

const MUTATION_DEADLINE = 10_000;
const RULE_DEADLINE = 10_000;

const FORGET_CLIENTS_AFTER = 90 * 24 * 60 * 60 * 1000;

/** Everything about one shard, except for how the platform is asked. */
export class ShardEngine {
  readonly #definition: LunoraDefinition;
  readonly #host: ShardHost;
  readonly #find: FindHost;
  readonly #writes: OpenWrites;
  /** How mutations find rows. */
  readonly #ownFind: FindHost;
  readonly #alarm: ShardAlarm;
  readonly #createDatabase: DatabaseFactory;
  readonly #runner: FunctionRunner;
  readonly #log: OpLog;
  readonly #ledger: ClientLedger;
  readonly #outbox: ScheduleOutbox | undefined;
  /** Absent in an app without global tables. */
  readonly #globals: Globals | undefined;
  readonly #mirror: GlobalMirror | undefined;
  readonly #queue: TurnQueue<MutationCall>;
  readonly #hub: SocketHub;
  /** Absent unless somebody listens. */
  readonly #watch: ShardWatch | undefined;
  readonly #parts: { readonly q: QueryPart; readonly s: ShapePart };
  /** Set by who exports: why nothing may be written now. */
  writesRefused: (() => LunoraError | undefined) | undefined;
  /** What turns that write need. */
  readonly #turns: GroupTurnHost;
  readonly #creationClock: (now: number) => number;

  private constructor(
    definition: LunoraDefinition,
    schema: Schema,
    host: ShardHost,
    scope: ShardScope,
    options: EngineOptions,
  ) {
    this.#definition = definition;
    this.#host = host;
    this.#watch = host.observer?.shard(scope.name, host.now) as ShardWatch | undefined;
    const deadline = new Deadline(options.mutationDeadline ?? MUTATION_DEADLINE, host.now);
    this.#writes = new OpenWrites({
      sql: host.sql,
      discardTurn: (reason) => host.discardTurn(reason),
      onWait: () => deadline.arm(),
    });
    this.#find = { storage: this.#writes.others, schema, scope };
    this.#ownFind = { storage: this.#writes, rows: this.#writes.rows, schema, scope };
    this.#createDatabase = databaseFactory(schema);
    this.#outbox = this.#openOutbox();
    this.#runner = new FunctionRunner({
      definition,
      find: this.#find,
      env: host.env,
      createDatabase: this.#createDatabase,
      importDeadline: options.importDeadline,
    });
    this.#globals = (definition.globals as GlobalsFactory | undefined)?.({
      schema,
      env: host.env,
      object: scope.name,
      now: host.now,
      timeline: () => this.#log.epoch,
      answerTime: options.globalAnswerTime,
    });
    const copies = this.#globals?.copies;
    const logged = copies === undefined ? schema : { tables: new Map([...schema.tables, ...copies]) };
    this.#log = new OpLog(host.sql, logged, host.objectId);
    if (this.#globals === undefined && readMeta(host.sql, MIRROR_META) !== undefined) {
      // The log has changes of tables that were global then, and may be the shard's own now.
      removeMeta(host.sql, MIRROR_META);
      this.#log.renewEpoch();
    }
    this.#mirror = this.#globals?.mirror({
      storage: host.sql,
      interval: definition.app.globalPoll,
      now: host.now,
      write: (write, polled) => this.#writeAlone("sweep", write, polled),
      newTimeline: () => this.#log.renewEpoch(),
      afterTurns: () => this.#turn(async () => {}),
      users: () => ({ hasQueries: this.#parts.q.readsGlobals, shapes: this.#parts.s.mirrored }),
      wakeAt: (time) => this.#alarm.wakeAt(time),
    });
    this.#ledger = new ClientLedger(host.sql);
    this.#queue = new TurnQueue({
      runGroup: (calls) => runGroup(this.#turns, calls),
      flush: () => this.#host.sync(),
      idle: () => this.#hub.idle(),
    });
    const tables = [...schema.tables.values()].filter((table) => livesHere(scope, table));
    const parts: ShardParts = {
      definition,
      host,
      find: this.#find,
      runner: this.#runner,
      log: this.#log,
      ledger: this.#ledger,
      watch: this.#watch,
      mirror: this.#mirror,
      turn: (run) => this.#turnOfSockets(run),
      hub: () => this.#hub,
      alarm: () => this.#alarm,
      facts: (identity, now) => this.#facts(identity, now, undefined),
    };
    const streams = (definition.streams as StreamFactory | undefined)?.(parts);
    this.#alarm = new ShardAlarm(host, {
      storage: host.sql,
      tables,
      log: this.#log,
      ledger: this.#ledger,
      retention: { ...DEFAULT_RETENTION, ...definition.app.opLog },
      outbox: this.#outbox,
      others: [streams, this.#mirror].filter((source) => source !== undefined),
      forgetClientsAfterMs: definition.app.forgetClientsAfterMs ?? FORGET_CLIENTS_AFTER,
    });
    const liveHost = liveHostOf(parts);
    const shaping = definition.shaping as ShapingFactory | undefined;
    this.#parts = {
      q: new LiveQueries(liveHost, options.queryDeadline, options.liveResultsLength),
      s: shaping?.(liveHost, options.queryDeadline) ?? noShapes(definition),
    };
    this.#hub = new SocketHub({
      storage: host.sql,
      connectDeadline: options.connectDeadline,
      saveDelay: options.saveDelay,
      isIdle: () => this.#queue.isIdle,
      now: host.now,
      epoch: () => this.#log.epoch,
      head: () => this.#log.head,
      watermark: (userId, clientId) => this.#ledger.watermark({ userId, clientId }),
      parts: this.#parts,
      streams,
      watch: this.#watch,
      turn: (run) => this.#turnOfSockets(run),
      push: (connection, frame, done) =>
        this.#push(pushedCalls(connection, frame, (from, entry) => this.#admitPush(from, entry), done)),
      authorize: (identity, path) =>
        within(
          authorizeShard(definition.app, host.env, identity, this.#find.scope, path),
          options.ruleDeadline ?? RULE_DEADLINE,
          () => new LunoraError("SHARD_UNAVAILABLE", `the app's rule did not answer for \`${path}\` in time`),
        ),
    });
    this.#turns = {
      host,
      log: this.#log,
      alarm: this.#alarm,
      tellParts: (flush) => this.#tellParts(flush),
      registration: new Registration(host, scope.name),
      hub: this.#hub,
      gauge: new PressureGauge(host, scope.name),
      writes: this.#writes,
      scope,
      runner: this.#runner,
      ledger: this.#ledger,
      keeper: new ResultKeeper(host.sql),
      deadline,
      outbox: this.#outbox,
      now: host.now,
      facts: (identity, now, commit, newId, globals) => this.#facts(identity, now, commit, newId, globals),
      globals: this.#globals,
      writesRefused: () => this.writesRefused?.(),
      watch: this.#watch,
    };
    this.#creationClock = creationClock(host.sql, tables);
  }

  /** Opens the storage: tables and indexes become what the schema says. Throws coded errors and then changes nothing. */
  static async open(
    definition: LunoraDefinition,
    schema: Schema,
    host: ShardHost,
    name: string,
    options: EngineOptions = {},
  ): Promise<ShardEngine> {
    const scope: ShardScope = { ...scopeOf(name), hasGlobals: definition.globals !== undefined };
    const engine = host.transactionSync(() => {
      createInternalTables(host.sql);
      writeMeta(host.sql, "name", name);
      applySchema(host.sql, schema, scope);
      return new ShardEngine(definition, schema, host, scope, options);
    });
    await engine.#alarm.start(host.now());
    return engine;
  }

  get findHost(): FindHost {
    return this.#find;
  }

  get name(): string {
    return this.#find.scope.name;
  }

  get log(): OpLog {
    return this.#log;
  }

  /** Runs in the queue, when everything before has ended and before anything after begins. */
  exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#turn(run);
  }

  /**
   * Writes rows in a turn of their own, all or none, as the op-log and live subscriptions see any mutation. `write` is
   * given the time. Rejects with what it throws, and with what keeps mutations from writing now.
   */
  writeTurn<Result>(write: (commit: Commit, now: number) => Result): Promise<Result> {
    return this.#writeAlone("admin", write);
  }

  /** `polled`: global tables that have changed besides. */
  #writeAlone<Result>(
    by: "sweep" | "admin",
    write: (commit: Commit, now: number) => Result,
    polled?: ReadonlySet<string>,
  ): Promise<Result> {
    return this.#turn(async () => {
      const refusal = this.writesRefused?.();
      if (refusal !== undefined) throw refusal;
      const { registration } = this.#turns;
      if (!registration.isDone) await registration.complete();
      const writing = async (commit: Commit, now: number): Promise<Result> => {
        const result = write(commit, now);
        const armed = this.#alarm.afterWrites(
          { changes: commit.changes, hasJobs: false, hasResults: false, hasPushes: false },
          now,
        );
        if (armed !== undefined) await armed;
        return result;
      };
      return commitAlone(this.#turns, by, writing, polled);
    });
  }

  /** Another engine has the storage from now on. */
  retire(): void {
    this.#mirror?.stop();
  }

  /** What admins look into. */
  get insides(): ShardInsides {
    return {
      definition: this.#definition,
      runner: this.#runner,
      host: this.#host,
      watch: this.#watch,
      pressure: this.#turns.gauge.pressure,
      sockets: this.#hub,
      shapes: this.#parts.s,
      push: (calls, id) => this.#push(calls, id),
    };
  }

  /** Tells every socket to connect again. */
  dropSockets(): void {
    this.#hub.reload();
  }

  /** Answers a call. Never throws: errors are redacted and become values here. */
  async call(call: ShardCall): Promise<ShardAnswer> {
    try {
      if (call.object !== this.#find.scope.name) {
        throw new LunoraError(
          "SHARD_MISMATCH",
          `the call is meant for \`${call.object}\` and reached \`${this.#find.scope.name}\``,
        );
      }
      const entry = this.#runner.entry(call.functionPath);
      // The place in the queue is taken before anything is awaited, the import of the module included.
      if (entry.kind === "mutation") return await this.#mutate(entry, call);
      if (entry.kind === "stream")
        throw new LunoraError(
          "BAD_REQUEST",
          `\`${call.functionPath}\` is a stream, which is subscribed to over a socket`,
        );
      const identity = identityOf(call);
      const run = (): Promise<ShardAnswer> => this.#query(entry, call, identity);
      return await (this.#watch?.call(call, entry.kind, identity, run) ?? run());
    } catch (error) {
      return failedAnswer(call, error);
    }
  }

  async #query(entry: FunctionRegistryEntry, call: ShardCall, identity: Identity | null): Promise<ShardAnswer> {
    try {
      const facts = this.#facts(identity, this.#host.now(), undefined);
      const result = await this.#runner.query(call.functionPath, entry, call.args, identity, facts);
      return { ok: true, body: result === undefined ? {} : { result } };
    } catch (error) {
      return failedAnswer(call, error);
    }
  }

  #push(calls: readonly MutationCall[], id?: string, parent?: string): void {
    this.#watch?.arrived(calls, id, parent);
    this.#queue.push(calls);
  }

  #mutate(entry: FunctionRegistryEntry, call: ShardCall): Promise<ShardAnswer> {
    return new Promise((resolve) => {
      const done: Parameters<typeof calledMutation>[2] = (outcome, place) => {
        const lastMutationId = place === undefined ? undefined : this.#ledger.watermark(place.client);
        resolve(toAnswer(outcome, this.#log.head, lastMutationId));
      };
      this.#push([calledMutation(entry, call, done)], call.call, call.parent);
    });
  }

  /** Somebody outside pushes: everything that the Worker asks about a call is asked here. */
  #admitPush(
    connection: SocketConnection,
    { functionPath, args }: PushEntry,
  ): FunctionRegistryEntry | Promise<FunctionRegistryEntry> {
    const entry = this.#runner.publicEntry(functionPath, "mutation");
    this.#runner.assertHere(functionPath, entry, args);
    if (connection.permitted.has(functionPath)) return entry;
    return this.#hub.authorize(connection, functionPath).then(() => entry);
  }

  #facts(
    identity: Identity | null,
    now: number,
    commit: Commit | undefined,
    newId?: (table: Table) => string,
    globals: GlobalSession | undefined = this.#globals?.reader,
  ): SessionFacts {
    return {
      host: commit === undefined ? this.#find : this.#ownFind,
      commit,
      auth: { userId: identity?.userId ?? null, identity },
      now,
      outbox: this.#outbox,
      nextCreationTime: () => this.#creationClock(now),
      newId,
      globals,
    };
  }

  /** Runs alone in the queue; what it sends to sockets leaves when it ends. */
  #turn<Result>(run: () => Promise<Result>): Promise<Result> {
    return this.#queue.turn(async () => {
      try {
        return await run();
      } finally {
        this.#hub.deliver();
        this.#watch?.settled();
      }
    });
  }

  #turnOfSockets(run: () => Promise<void>): Promise<void> {
    return this.#turn(run).catch((error: unknown) => {
      failureOf("a turn of the sockets", error);
    });
  }

  /** A part that fails must not keep the others, or the acks, from what has happened. */
  async #tellParts(flush: Flush): Promise<void> {
    for (const part of [this.#parts.q, this.#parts.s]) {
      try {
        await part.flush(flush);
      } catch (error) {
        failureOf("live subscriptions", error);
        this.#hub.reload();
      }
    }
  }

  /** The object's alarm went off. */
  async ring(): Promise<void> {
    await this.#turn(() => {
      // Rows that expire, and results and watermarks that are forgotten, are part of what is exported meanwhile.
      if (this.writesRefused?.() !== undefined) return this.#alarm.putOff(this.#host.now());
      return sweep(this.#turns, this.#turns.deadline, this.#createDatabase, (now) => this.#facts(null, now, undefined));
    });
    // The alarm is armed again already, for the case that this fails.
    await this.#outbox?.handOver().catch((error: unknown) => {
      failureOf("the hand-over of jobs", error);
    });
    await this.#mirror?.ring();
  }

  /** The half of the scheduler that is in shards, in an app that schedules. */
  #openOutbox(): ScheduleOutbox | undefined {
    const { scheduling } = this.#definition;
    if (scheduling === undefined) return undefined;
    const open = scheduling.openOutbox as unknown as (host: OutboxHost) => ScheduleOutbox;
    return open({
      storage: this.#host.sql,
      definition: this.#definition,
      env: this.#host.env,
      shard: this.#find.scope.name,
      timeline: () => this.#log.epoch,
      settled: () => this.#turn(async () => {}),
    });
  }

  /** The scheduler asks. An app that schedules nothing any more has nothing to say. */
  async jobs(request: ShardJobRequest): Promise<void> {
    await this.#outbox?.request(request);
  }

  /** A socket that was just accepted. */
  connect(socket: HostSocket, identity: Identity | null): SocketConnection {
    return this.#hub.open(socket, identity);
  }

  /** Sockets that outlived the object's sleep. What they subscribed to comes back before anything else runs. */
  wake(sockets: readonly HostSocket[]): ReadonlyMap<HostSocket, SocketConnection> {
    const connections = this.#hub.wake(sockets);
    if (this.#hub.needsRestore)
      this.#turn(() => this.#hub.restore()).catch((error: unknown) => {
        failureOf("the subscriptions that slept", error);
        this.#hub.reload();
      });
    return connections;
  }

  /** A promise: until it settles the object has to stay awake. */
  receive(connection: SocketConnection, data: string | ArrayBuffer): Promise<void> | undefined {
    return this.#hub.receive(connection, data);
  }

  /** The other side has closed it, or it broke. */
  disconnect(connection: SocketConnection, close?: { readonly code: number; readonly reason: string }): void {
    this.#hub.closed(connection, close);
  }
}

function failedAnswer({ functionPath }: ShardCall, error: unknown): ShardAnswer {
  const { status, error: body } = failureOf(functionPath, error);
  return { ok: false, status, body: { error: body } };
}
