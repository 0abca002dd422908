import type { FanOutMerge, FunctionKind, FunctionVisibility } from "@lunora/protocol";
import type { AnyValidator, Infer, InferFields, InferInput, ValidatorMap } from "@lunora/values";

import type { StreamCtx } from "./context.ts";
import type { Handler, RegisteredFunction, StoredMiddleware, StreamDurability } from "./definition.ts";
import type { ExtendCtx, Middleware } from "./middleware.ts";
import { schemaError } from "./schema-error.ts";

/** What a handler gets. */
export interface ProcedureOptions<Ctx, Args> {
  readonly ctx: Ctx;
  readonly args: Args;
}

/** Declares the handler, and with it the function. */
export type Terminal<
  Kind extends FunctionKind,
  Visibility extends FunctionVisibility,
  Ctx,
  Input extends ValidatorMap,
  Output extends AnyValidator | undefined,
> = Output extends AnyValidator
  ? (
      handler: (options: ProcedureOptions<Ctx, InferFields<Input>>) => InferInput<Output> | Promise<InferInput<Output>>,
    ) => RegisteredFunction<Kind, Input, Infer<Output>, Visibility>
  : <Returned>(
      handler: (options: ProcedureOptions<Ctx, InferFields<Input>>) => Returned,
    ) => RegisteredFunction<Kind, Input, Awaited<Returned>, Visibility>;

/** The chain of every builder. */
export interface ProcedureChain<
  Kind extends FunctionKind,
  Visibility extends FunctionVisibility,
  Ctx,
  Input extends ValidatorMap,
  Output extends AnyValidator | undefined,
> {
  /** Arguments, added to those given before. Validated before anything else runs. */
  input<const Fields extends ValidatorMap>(
    fields: Fields,
  ): ProcedureBuilder<Kind, Visibility, Ctx, Omit<Input, keyof Fields> & Fields, Output>;
  /** What the function returns; validated, and narrowed to what the validator produces. */
  output<NewOutput extends AnyValidator>(
    validator: NewOutput,
  ): ProcedureBuilder<Kind, Visibility, Ctx, Input, NewOutput>;
  /** Runs around the handler, after those given before. */
  use<Added extends object = {}>(
    middleware: Middleware<Ctx, Added, InferFields<Input>>,
  ): ProcedureBuilder<Kind, Visibility, ExtendCtx<Ctx, Added>, Input, Output>;
  /** Static facts, merged with those given before; `ctx.meta` has them. */
  meta(meta: Readonly<Record<string, unknown>>): ProcedureBuilder<Kind, Visibility, Ctx, Input, Output>;
  /** States the address where it cannot be read from the code: an argument that holds the shard's value, or the root. */
  shard(argument: (keyof Input & string) | "__root__"): ProcedureBuilder<Kind, Visibility, Ctx, Input, Output>;
}

/** What only queries have. */
export interface FanOutChain<
  Kind extends FunctionKind,
  Visibility extends FunctionVisibility,
  Ctx,
  Input extends ValidatorMap,
  Output extends AnyValidator | undefined,
> {
  /** Runs on every known shard; says how the results become one. */
  fanOut(merge?: FanOutMerge): ProcedureBuilder<Kind, Visibility, Ctx, Input, Output>;
}

/** What the generator of a stream gets. */
export interface StreamOptions<Ctx, Args> extends ProcedureOptions<Ctx, Args> {
  /** Aborted when nobody wants more: whoever asked has left, or the stream has become too long. */
  readonly signal: AbortSignal;
}

/** What only queries have. */
export interface StreamChain<Visibility extends FunctionVisibility, Ctx, Input extends ValidatorMap> {
  /**
   * Declares a stream: what the generator yields reaches the subscriber piece by piece. It may run
   * for as long as it likes beside everything else; each of its reads sees what is committed by then.
   *
   * `durable` keeps the pieces for a day after the end, or for `ttlMs` milliseconds: a subscriber
   * whose connection broke goes on where it was, all subscribers with the same identity and arguments
   * share one run, and the run goes on without them.
   */
  stream<Chunk>(
    generator: (options: StreamOptions<StreamCtx<Ctx>, InferFields<Input>>) => AsyncIterable<Chunk>,
    options?: { readonly durable?: true | { readonly ttlMs: number } },
  ): RegisteredFunction<"stream", Input, Chunk, Visibility>;
}

/** A function being declared. Immutable, so that a chain can be shared and continued twice. */
export type ProcedureBuilder<
  Kind extends FunctionKind,
  Visibility extends FunctionVisibility,
  Ctx,
  Input extends ValidatorMap,
  Output extends AnyValidator | undefined,
> = ProcedureChain<Kind, Visibility, Ctx, Input, Output> &
  (Kind extends "query"
    ? FanOutChain<Kind, Visibility, Ctx, Input, Output> & StreamChain<Visibility, Ctx, Input>
    : unknown) & {
    readonly [Name in Kind]: Terminal<Kind, Visibility, Ctx, Input, Output>;
  };

/** What a chain has gathered. */
interface ProcedureState {
  readonly kind: FunctionKind;
  readonly visibility: FunctionVisibility;
  readonly input: ValidatorMap;
  readonly output?: AnyValidator;
  readonly middleware: readonly StoredMiddleware[];
  readonly meta: Readonly<Record<string, unknown>>;
  readonly shard?: string;
  readonly fanOut?: FanOutMerge;
}

/** Starts a chain. */
export function procedureBuilder<Kind extends FunctionKind, Visibility extends FunctionVisibility, Ctx>(
  kind: Kind,
  visibility: Visibility,
): ProcedureBuilder<Kind, Visibility, Ctx, {}, undefined> {
  return chain({ kind, visibility, input: {}, middleware: [], meta: {} }) as never;
}

/** The untyped chain; {@link ProcedureBuilder} is its typed view. */
function chain(state: ProcedureState): Record<string, unknown> {
  const finish = (handler: Handler): RegisteredFunction => ({ ...state, handler });
  return {
    input: (fields: ValidatorMap) => chain({ ...state, input: { ...state.input, ...fields } }),
    output: (output: AnyValidator) => chain({ ...state, output }),
    use: (middleware: StoredMiddleware) => chain({ ...state, middleware: [...state.middleware, middleware] }),
    meta: (meta: Readonly<Record<string, unknown>>) => chain({ ...state, meta: { ...state.meta, ...meta } }),
    shard: (shard: string) => {
      if (shard !== "__root__" && !Object.hasOwn(state.input, shard)) {
        throw schemaError(
          `\`.shard("${shard}")\` names no argument`,
          "Declare the argument with `.input` first, or write `__root__`.",
        );
      }
      return chain({ ...state, shard });
    },
    ...(state.kind === "query"
      ? {
          fanOut: (fanOut: FanOutMerge = { kind: "concat" }) => chain({ ...state, fanOut }),
          stream: (handler: Handler, options?: StreamDeclaration) => finishStream(state, handler, options),
        }
      : {}),
    [state.kind]: finish,
  };
}

interface StreamDeclaration {
  readonly durable?: true | { readonly ttlMs: number };
}

/** How long the chunks of a durable stream are kept when nothing else is said, milliseconds. */
const STREAM_LIFETIME = 24 * 60 * 60 * 1000;

function finishStream(state: ProcedureState, handler: Handler, { durable }: StreamDeclaration = {}): object {
  if (state.fanOut !== undefined) {
    throw schemaError("a stream cannot run on all shards", "Leave out `.fanOut()`, and stream from one shard.");
  }
  const stream = { ...state, kind: "stream" as const, handler };
  if (durable === undefined) return stream;
  const ttlMs = durable === true ? STREAM_LIFETIME : durable.ttlMs;
  if (!Number.isSafeInteger(ttlMs) || ttlMs <= 0) {
    throw schemaError(
      `\`ttlMs\` of a durable stream is ${String(ttlMs)}`,
      "Give whole milliseconds above 0, or write `durable: true`.",
    );
  }
  const durability: StreamDurability = { ttlMs };
  return { ...stream, durable: durability };
}
