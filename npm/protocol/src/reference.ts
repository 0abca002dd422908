import type { Address } from "./address.ts";

/** The kinds of function. A stream is a query that answers piece by piece, over a socket only. */
export type FunctionKind = "query" | "mutation" | "action" | "stream";

/** Who may call a function: anybody who reaches the Worker, or other functions only. */
export type FunctionVisibility = "public" | "internal";

/**
 * A function as a value: what a call site passes instead of a string. Argument and result types
 * travel in a property that exists for the type checker only.
 */
export interface FunctionReference<
  Kind extends FunctionKind = FunctionKind,
  Arguments = unknown,
  Result = unknown,
  Visibility extends FunctionVisibility = FunctionVisibility,
> {
  /** `<path below lunora/ without extension>:<export>`, for example `messages:list`. */
  readonly path: string;
  readonly kind: Kind;
  readonly address: Address;
  /** Never present at run time. */
  readonly "~types"?: {
    readonly arguments: Arguments;
    readonly result: Result;
    readonly visibility: Visibility;
  };
}

/** The arguments a reference is called with. */
export type ArgumentsOf<Reference extends FunctionReference> = NonNullable<Reference["~types"]>["arguments"];

/** What a call of a reference resolves to. */
export type ResultOf<Reference extends FunctionReference> = NonNullable<Reference["~types"]>["result"];

/**
 * The arguments as a rest parameter: left out when nothing is required.
 */
export type CallArguments<Reference extends FunctionReference> =
  {} extends ArgumentsOf<Reference> ? [args?: ArgumentsOf<Reference>] : [args: ArgumentsOf<Reference>];

/** A shard that did not answer a fan-out. */
export interface FanOutFailure {
  /** The shard's value as text. */
  readonly shardKey: string;
  readonly code: string;
  readonly message: string;
  readonly timedOut: boolean;
}

/** What a fan-out resolves to: partial failure is data, not an exception. */
export interface FanOutResult<Data> {
  readonly data: Data;
  readonly errors: readonly FanOutFailure[];
  /** Shards that answered. */
  readonly ok: number;
  /** Shards that did not. */
  readonly failed: number;
}

/** Makes a reference; generated code calls it once for each function. */
export function functionReference<Reference extends FunctionReference>(
  path: string,
  kind: Reference["kind"],
  address: Address,
): Reference {
  const reference: FunctionReference = { path, kind, address };
  return reference as Reference;
}

/**
 * How subscribers come to know of changes. `poke`: the shard that has the rows tells them as soon as
 * a change is committed. `poll`: the rows are those of a `.global()` table, in D1, which tells nobody;
 * it is asked for changes every few seconds while somebody subscribes, so what others wrote is seen
 * late, and what changed twice in between is seen once. What arrives is applied as any change is.
 */
export type ShapeRefresh = "poll" | "poke";

/**
 * A shape as a value: what a client subscribes to instead of a name. `Row` is a row of the table as
 * the shape projects it, `Refresh` how changes come.
 */
export interface ShapeReference<Arguments = unknown, Row = unknown, Refresh extends ShapeRefresh = ShapeRefresh> {
  /** The name of its export in `lunora/shapes.ts`. */
  readonly name: string;
  readonly table: string;
  /** `root` or `argument`: a shape is in one shard. */
  readonly address: Address;
  /** `poll` for a shape over a `.global()` table, else `poke`. */
  readonly refresh: Refresh;
  /** Never present at run time. */
  readonly "~shape"?: { readonly arguments: Arguments; readonly row: Row };
}

/** Makes a reference; generated code calls it once for each shape, and says `refresh` where it is `poll`. */
export function shapeReference<Reference extends ShapeReference>(
  name: string,
  table: string,
  address: Address,
  refresh: ShapeRefresh = "poke",
): Reference {
  const reference: ShapeReference = { name, table, address, refresh };
  return reference as Reference;
}

/**
 * A kind of room as a value: what a page names to be present in one of them. `Data` is what members
 * see of each other, `Input` what they say of themselves.
 */
export interface PresenceReference<Data = unknown, Input = Data> {
  /** `<path below lunora/ without extension>:<export>`. */
  readonly path: string;
  readonly kind: "presence";
  /** Never present at run time. */
  readonly "~presence"?: { readonly data: Data; readonly input: Input };
}

/** Makes a reference; generated code calls it once for each kind of room. */
export function presenceReference<Reference extends PresenceReference>(path: string): Reference {
  const reference: PresenceReference = { path, kind: "presence" };
  return reference as Reference;
}
