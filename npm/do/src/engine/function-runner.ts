import { LunoraError, toErrorBody } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import { decodeValue, encodeFailure, encodeValue, resolveAddress } from "@lunora/protocol";
import type { FunctionKind, FunctionReference } from "@lunora/protocol";
import { loggerOf } from "@lunora/runtime";
import { findFunction, invoke, isRegisteredFunction, NO_SCHEDULER } from "@lunora/server";
import type {
  Environment,
  FunctionRegistryEntry,
  Identity,
  LunoraDefinition,
  RegisteredFunction,
} from "@lunora/server";

import { authOf } from "./auth.ts";
import type { FindHost } from "./find.ts";
import { ModuleImports } from "./module-imports.ts";
import { Session } from "./session.ts";
import type { SessionFacts } from "./session.ts";
import { checkIds } from "./shard-scope.ts";
import type { OpenedStream } from "./streams/stream-host.ts";
import type { DatabaseFactory } from "./triggers.ts";

export interface FunctionRunnerOptions {
  readonly definition: LunoraDefinition;
  readonly find: FindHost;
  readonly env: Environment;
  readonly createDatabase: DatabaseFactory;
  /** How long the import of a module may take, milliseconds. */
  readonly importDeadline?: number | undefined;
}

/** Finds and runs the app's functions inside a shard. */
export class FunctionRunner {
  readonly #options: FunctionRunnerOptions;
  readonly #imports: ModuleImports;
  readonly #loaded = new Map<string, RegisteredFunction>();

  constructor(options: FunctionRunnerOptions) {
    this.#options = options;
    this.#imports = new ModuleImports(options.importDeadline);
  }

  /** The function of this path; throws `FUNCTION_NOT_FOUND`. Actions do not run in shards. */
  entry(functionPath: string): FunctionRegistryEntry {
    const { functions } = this.#options.definition;
    const entry = findFunction(functions, functionPath);
    if (entry === undefined || entry.kind === "action") throw notFound(functionPath);
    return entry;
  }

  /**
   * A function that somebody outside may call by this path. One that is internal, or of another
   * kind, is told as one that is not there is.
   */
  publicEntry(functionPath: string, kind: FunctionKind): FunctionRegistryEntry {
    const entry = this.entry(functionPath);
    if (entry.visibility === "internal") throw notFound(functionPath);
    if (entry.kind !== kind)
      throw new LunoraError("BAD_REQUEST", `\`${functionPath}\` is a ${entry.kind}, not a ${kind}`);
    return entry;
  }

  /** Refuses a call whose address is another object. `args` are wire-encoded. */
  assertHere(functionPath: string, entry: FunctionRegistryEntry, args: unknown): void {
    const { name, field } = this.#options.find.scope;
    if (entry.address.kind === "root" && field === null) return;
    const target = resolveAddress(entry.address, decodeValue(args) as Record<string, unknown>);
    if (target.kind === "object" && target.name === name) return;
    const place = target.kind === "object" ? `\`${target.name}\`` : "all shards";
    throw new LunoraError("SHARD_MISMATCH", `\`${functionPath}\` runs in ${place}, and this is \`${name}\``);
  }

  /** What the path's module exports, when it has been imported already. */
  loaded(functionPath: string): RegisteredFunction | undefined {
    return this.#loaded.get(functionPath);
  }

  async load(functionPath: string, entry: FunctionRegistryEntry): Promise<RegisteredFunction> {
    const known = this.#loaded.get(functionPath);
    if (known !== undefined) return known;
    const registered = (await this.#imports.import(functionPath, () => entry.module()))[entry.exportName];
    if (!isRegisteredFunction(registered) || registered.kind !== entry.kind) {
      throw new Error(
        `\`${functionPath}\` is not the ${entry.kind} that the generated registry says: run codegen again`,
      );
    }
    this.#loaded.set(functionPath, registered);
    return registered;
  }

  /** Runs a query of its own session; wire-encoded arguments and result. */
  async query(
    functionPath: string,
    entry: FunctionRegistryEntry,
    args: unknown,
    identity: Identity | null,
    facts: SessionFacts,
  ): Promise<unknown> {
    const registered = await this.load(functionPath, entry);
    return encodeValue(
      await this.run(new Session(facts), identity, functionPath, entry.kind, registered, decodeValue(args)),
    );
  }

  /** Runs a function in a session of its own, which ends with it. */
  async run(
    session: Session,
    identity: Identity | null,
    functionPath: string,
    kind: FunctionKind,
    registered: RegisteredFunction,
    args: unknown,
  ): Promise<unknown> {
    const { scope, schema } = this.#options.find;
    if (typeof args === "object" && args !== null) {
      checkIds(scope, schema, registered.input, args as Record<string, unknown>);
    }
    let result: unknown;
    try {
      result = await invoke(registered, { ctx: this.#context(session, identity, functionPath, kind), args });
    } catch (error) {
      // The handler's own error counts, not that of a write it left behind.
      await session.settle().catch(() => {});
      throw error;
    }
    await session.settle();
    return result;
  }

  /** Makes the generator of a stream, with a session that is open until it is closed. */
  async stream(
    functionPath: string,
    entry: FunctionRegistryEntry,
    args: unknown,
    identity: Identity | null,
    facts: SessionFacts,
    signal: AbortSignal,
  ): Promise<OpenedStream> {
    const registered = await this.load(functionPath, entry);
    const { scope, schema } = this.#options.find;
    const decoded = decodeValue(args) as Record<string, unknown>;
    checkIds(scope, schema, registered.input, decoded);
    const session = new Session(facts);
    const ctx = this.#context(session, identity, functionPath, entry.kind);
    const iterable = await invoke(registered, { ctx, args: decoded, signal });
    if (typeof (iterable as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator] !== "function")
      throw new Error(`\`${functionPath}\` has to return an async generator: write \`async function* …\``);
    return {
      iterable: iterable as AsyncIterable<unknown>,
      // It writes nothing, so nothing is waited for.
      close: () => session.abort(),
    };
  }

  #context(session: Session, identity: Identity | null, functionPath: string, kind: FunctionKind): object {
    const context = {
      auth: authOf(identity, session.facts),
      now: session.facts.now,
      log: loggerOf(functionPath),
      env: this.#options.env,
      db: this.#options.createDatabase(session),
      runQuery: (reference: FunctionReference, args?: Record<string, unknown>) =>
        this.#nested("query", session, identity, reference, args),
    };
    if (kind === "stream") return { ...context, fetch: (input: RequestInfo, init?: RequestInit) => fetch(input, init) };
    if (kind !== "mutation") return context;
    return {
      ...context,
      runMutation: (reference: FunctionReference, args?: Record<string, unknown>) =>
        this.#nested("mutation", session, identity, reference, args),
      scheduler: session.facts.outbox?.schedulerOf(session) ?? NO_SCHEDULER,
      jobId: session.facts.jobId,
    };
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
    const entry = this.entry(reference.path);
    if (entry.kind !== kind)
      throw new LunoraError("BAD_REQUEST", `\`${reference.path}\` is a ${entry.kind}, not a ${kind}`);
    const { scope } = this.#options.find;
    const target = resolveAddress(entry.address, (args ?? {}) as Record<string, unknown>);
    if (target.kind !== "object" || target.name !== scope.name) {
      const place = target.kind === "object" ? `\`${target.name}\`` : "all shards";
      throw new LunoraError(
        "SHARD_MISMATCH",
        `\`${reference.path}\` runs in ${place}, and its caller in \`${scope.name}\`: there is no transaction over shards; call both from an action`,
      );
    }
    const run = async (child: Session): Promise<unknown> =>
      this.run(child, identity, reference.path, kind, await this.load(reference.path, entry), args);
    if (kind === "query") return run(session.readOnlyChild());
    return session.exclusive(() => run(session.child()));
  }
}

function notFound(functionPath: string): LunoraError {
  return new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${functionPath}\``);
}

/** An error as callers may see it; what is redacted on the wire is logged under the name. */
export function failureOf(name: string, error: unknown): { readonly status: number; readonly error: ErrorBody } {
  const { status, body } = encodeFailure(error);
  if (toErrorBody(error).body.code === "INTERNAL") console.error(`[lunora] ${name}`, error);
  return { status, error: body.error };
}
