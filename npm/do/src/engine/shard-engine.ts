import { LunoraError, toErrorBody } from "@lunora/errors";
import { decodeValue, encodeFailure, encodeValue, resolveAddress } from "@lunora/protocol";
import type { FunctionKind, FunctionReference } from "@lunora/protocol";
import { loggerOf } from "@lunora/runtime";
import type { ShardAnswer, ShardCall } from "@lunora/runtime";
import { invoke, isRegisteredFunction } from "@lunora/server";
import type {
  Environment,
  FunctionRegistryEntry,
  Identity,
  LunoraDefinition,
  RegisteredFunction,
} from "@lunora/server";

import { Commit } from "./commit.ts";
import { databaseFactory } from "./database.ts";
import { withDeadline } from "./deadline.ts";
import type { FindHost } from "./find.ts";
import { callerKey, readResult, RESULT_LIFETIME, writeResult } from "./idempotency.ts";
import { readMeta, writeMeta } from "./meta.ts";
import { MutationQueue } from "./mutation-queue.ts";
import { Schema } from "./schema.ts";
import { Session } from "./session.ts";
import type { SessionFacts } from "./session.ts";
import { ShardAlarm } from "./shard-alarm.ts";
import type { AlarmHost } from "./shard-alarm.ts";
import { checkIds, livesHere, scopeOf } from "./shard-scope.ts";
import type { ShardScope } from "./shard-scope.ts";
import { applySchema, createInternalTables } from "./storage-layout.ts";
import type { SqlStorage } from "./sql.ts";
import type { DatabaseFactory } from "./triggers.ts";

/** What the engine needs of the object it runs in. */
export interface ShardHost extends AlarmHost {
  readonly sql: SqlStorage;
  readonly env: Environment;
  /** Epoch milliseconds. */
  now(): number;
  /** Synchronous; rolls back when it throws. */
  transactionSync<Result>(run: () => Result): Result;
  /**
   * Runs in one transaction that nothing else of the object runs beside; rolls back when it
   * throws. The error comes out of here only: it must not reach the platform, which would reset
   * the object.
   */
  exclusiveTransaction<Result>(run: () => Promise<Result>): Promise<Result>;
  /** Makes the object's name known to the registry. */
  register(name: string): Promise<void>;
}

export interface EngineOptions {
  /** How long a mutation may take, milliseconds; below the 30 s after which the platform resets the object. */
  readonly mutationDeadline?: number;
}

const MUTATION_DEADLINE = 10_000;

/** Half of a kibibyte to a millisecond: exact in a double for the times of our epoch. */
const CREATION_STEP = 1 / 1024;

/** Everything about one shard, except for how the platform is asked. */
export class ShardEngine {
  readonly #definition: LunoraDefinition;
  readonly #host: ShardHost;
  readonly #find: FindHost;
  readonly #alarm: ShardAlarm;
  readonly #createDatabase: DatabaseFactory;
  readonly #queue = new MutationQueue();
  readonly #deadline: number;
  #isRegistered: boolean;
  #lastCreationTime: number;

  private constructor(
    definition: LunoraDefinition,
    schema: Schema,
    host: ShardHost,
    scope: ShardScope,
    options: EngineOptions,
  ) {
    this.#definition = definition;
    this.#host = host;
    this.#find = { storage: host.sql, schema, scope };
    this.#createDatabase = databaseFactory(schema);
    const tables = [...schema.tables.values()].filter((table) => livesHere(scope, table));
    this.#alarm = new ShardAlarm(host, host.sql, tables);
    this.#deadline = options.mutationDeadline ?? MUTATION_DEADLINE;
    this.#isRegistered = readMeta(host.sql, "registered") !== undefined;
    this.#lastCreationTime = Math.max(
      0,
      ...tables.map(
        (table) =>
          host.sql.exec(`SELECT max(_creationTime) AS time FROM ${table.quoted}`).toArray()[0]?.["time"] as number,
      ),
    );
  }

  /** Opens the storage: tables and indexes become what the schema says. Throws coded errors and then changes nothing. */
  static async open(
    definition: LunoraDefinition,
    schema: Schema,
    host: ShardHost,
    name: string,
    options: EngineOptions = {},
  ): Promise<ShardEngine> {
    const scope = scopeOf(name);
    host.transactionSync(() => {
      createInternalTables(host.sql);
      writeMeta(host.sql, "name", name);
      applySchema(host.sql, schema, scope);
    });
    const engine = new ShardEngine(definition, schema, host, scope, options);
    await engine.#alarm.start();
    return engine;
  }

  get findHost(): FindHost {
    return this.#find;
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
      const entry = this.#entry(call.functionPath);
      // The place in the queue is taken before anything is awaited, the import of the module included.
      const result =
        entry.kind === "mutation"
          ? await this.#queue.enqueue(() => this.#mutate(entry, call))
          : await this.#query(entry, call);
      return { ok: true, body: result === undefined ? {} : { result } };
    } catch (error) {
      return { ok: false, ...this.#failure(call.functionPath, error) };
    }
  }

  /** The object's alarm went off. */
  async ring(): Promise<void> {
    await this.#queue.enqueue(() =>
      this.#host.exclusiveTransaction(async () => {
        const now = this.#host.now();
        const session = new Session(this.#facts(null, now, new Commit(this.#host.sql)));
        await withDeadline(
          async () => {
            await this.#alarm.ring({ session, createDatabase: this.#createDatabase }, now);
            await session.settle();
          },
          this.#deadline,
          () => session.abort(),
          "the sweep of expired rows",
        );
      }),
    );
  }

  #failure(functionPath: string, error: unknown): ReturnType<typeof encodeFailure> {
    const failure = encodeFailure(error);
    // What is redacted on the wire is only to be found here.
    if (toErrorBody(error).body.code === "INTERNAL") console.error(`[lunora] ${functionPath}`, error);
    return failure;
  }

  #entry(functionPath: string): FunctionRegistryEntry {
    const { functions } = this.#definition;
    const entry = Object.hasOwn(functions, functionPath) ? functions[functionPath] : undefined;
    if (entry === undefined || entry.kind === "action")
      throw new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${functionPath}\``);
    return entry;
  }

  async #load(functionPath: string, entry: FunctionRegistryEntry): Promise<RegisteredFunction> {
    const registered = (await entry.module())[entry.exportName];
    if (!isRegisteredFunction(registered) || registered.kind !== entry.kind) {
      throw new Error(
        `\`${functionPath}\` is not the ${entry.kind} that the generated registry says: run codegen again`,
      );
    }
    return registered;
  }

  #facts(identity: Identity | null, now: number, commit: Commit | undefined): SessionFacts {
    return {
      host: this.#find,
      commit,
      auth: { userId: identity?.userId ?? null },
      now,
      nextCreationTime: () => {
        this.#lastCreationTime = Math.max(now, this.#lastCreationTime + CREATION_STEP);
        return this.#lastCreationTime;
      },
    };
  }

  #context(session: Session, identity: Identity | null, functionPath: string, kind: FunctionKind): object {
    const context = {
      auth: { userId: identity?.userId ?? null, getIdentity: async () => identity },
      now: session.facts.now,
      log: loggerOf(functionPath),
      env: this.#host.env,
      db: this.#createDatabase(session),
      runQuery: (reference: FunctionReference, args?: Record<string, unknown>) =>
        this.#nested("query", session, identity, reference, args),
    };
    if (kind !== "mutation") return context;
    return {
      ...context,
      runMutation: (reference: FunctionReference, args?: Record<string, unknown>) =>
        this.#nested("mutation", session, identity, reference, args),
    };
  }

  /** Runs a function in a session of its own, which ends with it. */
  async #run(
    session: Session,
    identity: Identity | null,
    functionPath: string,
    entry: FunctionRegistryEntry,
    args: unknown,
  ): Promise<unknown> {
    const registered = await this.#load(functionPath, entry);
    if (typeof args === "object" && args !== null) {
      checkIds(this.#find.scope, this.#find.schema, registered.input, args as Record<string, unknown>);
    }
    let result: unknown;
    try {
      result = await invoke(registered, { ctx: this.#context(session, identity, functionPath, entry.kind), args });
    } catch (error) {
      // The handler's own error counts, not that of a write it left behind.
      await session.settle().catch(() => {});
      throw error;
    }
    await session.settle();
    return result;
  }

  /** `ctx.runQuery` and `ctx.runMutation`: same shard, same transaction. */
  async #nested(
    kind: "query" | "mutation",
    session: Session,
    identity: Identity | null,
    reference: FunctionReference,
    args: unknown,
  ): Promise<unknown> {
    session.assertOpen();
    const entry = this.#entry(reference.path);
    if (entry.kind !== kind)
      throw new LunoraError("BAD_REQUEST", `\`${reference.path}\` is a ${entry.kind}, not a ${kind}`);
    const target = resolveAddress(entry.address, (args ?? {}) as Record<string, unknown>);
    if (target.kind !== "object" || target.name !== this.#find.scope.name) {
      const place = target.kind === "object" ? `\`${target.name}\`` : "all shards";
      throw new LunoraError(
        "SHARD_MISMATCH",
        `\`${reference.path}\` runs in ${place}, and its caller in \`${this.#find.scope.name}\`: there is no transaction over shards; call both from an action`,
      );
    }
    if (kind === "query") return this.#run(session.readOnlyChild(), identity, reference.path, entry, args);
    return session.exclusive(() => this.#run(session.child(), identity, reference.path, entry, args));
  }

  async #query(entry: FunctionRegistryEntry, call: ShardCall): Promise<unknown> {
    const identity = identityOf(call);
    const session = new Session(this.#facts(identity, this.#host.now(), undefined));
    return encodeValue(await this.#run(session, identity, call.functionPath, entry, decodeValue(call.args)));
  }

  /** Runs when everything that arrived before has ended. */
  async #mutate(entry: FunctionRegistryEntry, call: ShardCall): Promise<unknown> {
    const { functionPath, mutationId } = call;
    const identity = identityOf(call);
    const now = this.#host.now();
    const caller = callerKey(identity, call.clientId);
    if (mutationId !== undefined) {
      const stored = readResult(this.#host.sql, caller, mutationId, functionPath, now - RESULT_LIFETIME);
      if (stored !== undefined) return stored.result;
    }
    await this.#registerOnce();
    const commit = new Commit(this.#host.sql);
    const session = new Session(this.#facts(identity, now, commit));
    try {
      return await this.#host.exclusiveTransaction(async () => {
        const value = await withDeadline(
          () => this.#run(session, identity, functionPath, entry, decodeValue(call.args)),
          this.#deadline,
          () => session.abort(),
          `\`${functionPath}\``,
        );
        const result = encodeValue(value);
        if (mutationId !== undefined) writeResult(this.#host.sql, caller, mutationId, functionPath, result, now);
        await this.#alarm.afterWrites(commit, mutationId === undefined ? null : now);
        return result;
      });
    } catch (error) {
      session.abort();
      await this.#alarm.afterRollback();
      throw error;
    }
  }

  /** Before the first transaction of the shard: a name too many in the registry is harmless, one too few is lost data. */
  async #registerOnce(): Promise<void> {
    if (this.#isRegistered) return;
    try {
      await this.#host.register(this.#find.scope.name);
    } catch (error) {
      throw new LunoraError(
        "SHARD_UNAVAILABLE",
        "the shard could not make itself known to the registry; nothing was written",
        { cause: error },
      );
    }
    writeMeta(this.#host.sql, "registered", "1");
    this.#isRegistered = true;
  }
}

function identityOf({ identity }: ShardCall): Identity | null {
  return decodeValue(identity) as Identity | null;
}
