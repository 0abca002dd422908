import type { LunoraError } from "@lunora/errors";
import type {
  ArgumentsOf,
  CallArguments,
  FunctionKind,
  FunctionReference,
  ResultOf,
  ShapeReference,
} from "@lunora/protocol";

/** A reference that a client may call. */
export type PublicReference<Kind extends FunctionKind = FunctionKind> = FunctionReference<
  Kind,
  unknown,
  unknown,
  "public"
>;

/** A value that changes: what React's `useSyncExternalStore` takes. Snapshots are equal until something changed. */
export interface Store<Value> {
  /** Tells of changes; what it returns ends that. The same function may be given twice. */
  subscribe(listener: () => void): () => void;
  getSnapshot(): Value;
}

/**
 * How far a view can be trusted: `loading` has no data yet, `live` is up to date with the server,
 * `stale` was (before a reload, or before the connection broke), `error` has been refused.
 */
export type LiveStatus = "loading" | "live" | "stale" | "error";

/** What a live query shows. */
export interface QuerySnapshot<Data = unknown> {
  readonly status: LiveStatus;
  /** The last result with optimistic changes on it. Absent until there is one. */
  readonly data?: Data;
  /** Why `status` is `error`. */
  readonly error?: LunoraError;
  /** Whether `data` has changes that the server has not confirmed. */
  readonly isOptimistic: boolean;
}

/** A query's result, kept up to date while somebody listens. */
export type LiveQuery<Data = unknown> = Store<QuerySnapshot<Data>>;

/** What a live shape shows. */
export interface ShapeSnapshot<Row = unknown> {
  readonly status: LiveStatus;
  /** Rows by id, with optimistic changes on them. Rows that did not change are the same objects as before. */
  readonly rows: ReadonlyMap<string, Row>;
  readonly error?: LunoraError;
  readonly isOptimistic: boolean;
}

/** What the server changed in a shape, all of it at once. */
export interface ShapeChanges<Row = unknown> {
  /** The changes are the whole membership: whatever is not among them has left. */
  readonly isReset: boolean;
  readonly changes: readonly {
    readonly op: "insert" | "update" | "delete";
    readonly id: string;
    /** Absent on delete. */
    readonly row?: Row;
  }[];
}

/** The rows of a shape, kept up to date while somebody listens. */
export interface LiveShape<Row = unknown> extends Store<ShapeSnapshot<Row>> {
  /** The rows of the snapshot as an array; the same array until they change. */
  getRows(): readonly Row[];
  /** The rows as the server has them, without optimistic changes. */
  getSyncedRows(): ReadonlyMap<string, Row>;
  /** Tells what the server changed, without optimistic changes. Also keeps the shape up to date. */
  subscribeChanges(listener: (changes: ShapeChanges<Row>) => void): () => void;
}

/** Options of a shape. */
export interface ShapeOptions<Row = unknown> {
  /** Whether a row that a mutator made or changed belongs to the shape. By default: each argument equals the row's field of that name, when it has one. */
  readonly matches?: (row: Row) => boolean;
}

/** The row type of a shape. */
export type RowOf<Reference extends ShapeReference> = NonNullable<Reference["~shape"]>["row"];

/** The arguments of a shape. */
export type ShapeArgumentsOf<Reference extends ShapeReference> = NonNullable<Reference["~shape"]>["arguments"];

/** The arguments as a rest parameter: left out when nothing is required. */
export type ShapeArguments<Reference extends ShapeReference> =
  {} extends ShapeArgumentsOf<Reference> ? [args?: ShapeArgumentsOf<Reference>] : [args: ShapeArgumentsOf<Reference>];

/** What a paginated query returns. */
export interface PageResult<Row> {
  readonly page: readonly Row[];
  readonly isDone: boolean;
  readonly continueCursor: string;
}

/** A query that takes `paginationOpts` and returns what `paginate` gives. */
export type PaginatedReference = FunctionReference<
  "query",
  { readonly paginationOpts: unknown },
  PageResult<unknown>,
  "public"
>;

/** The arguments without `paginationOpts`. */
export type PaginatedArgumentsOf<Reference extends PaginatedReference> = Omit<ArgumentsOf<Reference>, "paginationOpts">;

/** A row of the pages. */
export type PageRowOf<Reference extends PaginatedReference> = ResultOf<Reference>["page"][number];

/** What an optimistic update reads and changes: results of the live queries of this client. */
export interface OptimisticStore {
  /** The result as it is shown, earlier optimistic changes included; `undefined` when it is not loaded. Do not change it in place. */
  getQuery<Reference extends PublicReference<"query">>(
    reference: Reference,
    ...args: CallArguments<Reference>
  ): ResultOf<Reference> | undefined;
  /** What is shown of a query for all arguments with which it is watched and loaded. */
  getAllQueries<Reference extends PublicReference<"query">>(
    reference: Reference,
  ): readonly { readonly args: ArgumentsOf<Reference>; readonly value: ResultOf<Reference> }[];
  /** Shows another result until the server has confirmed or refused the mutation. No effect on a query that nobody watches. */
  setQuery<Reference extends PublicReference<"query">>(
    reference: Reference,
    args: Reference extends FunctionReference<"query", infer Arguments> ? Arguments : never,
    value: ResultOf<Reference>,
  ): void;
  /** The id that the mutation's n-th insert into a table (0 and up) will have on the server. */
  deriveId(table: string, n: number): string;
}

/** Runs again over each new result until the mutation is confirmed: it must depend on the store and the arguments alone. */
export type OptimisticUpdate<Arguments = unknown> = (store: OptimisticStore, args: Arguments) => void;

/** A row as a mutator's client half sees it. */
export type MutatorRow = Readonly<Record<string, unknown>> & { readonly _id: string; readonly _creationTime: number };

/**
 * The rows of the client's shapes, as a mutator's client half reads and changes them. A call has its
 * effect at once and its promise is settled when it is returned; after the mutator has ended calls
 * reject with `CTX_CLOSED`.
 */
export interface MutatorDatabase {
  /** The row, or `null` when none of the client's shapes holds it. */
  get(table: string, id: string): Promise<MutatorRow | null>;
  /** All rows of the table that the client's shapes on this shard hold. */
  rows(table: string): Promise<readonly MutatorRow[]>;
  /** Resolves to the id that the row will have on the server. */
  insert(table: string, document: object): Promise<string>;
  /**
   * Sets fields as they are given: where the server clears one that is `null`, it is `null` until the
   * server's row has arrived. No effect when no shape holds the row.
   */
  patch(table: string, id: string, fields: object): Promise<void>;
  /** No effect when no shape holds the row. */
  replace(table: string, id: string, document: object): Promise<void>;
  delete(table: string, id: string): Promise<void>;
}

/** What the client half of a mutator gets. */
export interface MutatorContext {
  readonly db: MutatorDatabase;
  readonly mutationId: string;
  /** When the mutation was called, milliseconds since 1970: the same each time it runs again. */
  readonly now: number;
}

/**
 * The client half of a mutator: runs again over each new state until the mutation is confirmed. May
 * be async, and then awaits its `db` alone: what it does is shown when it has ended.
 */
export type MutatorApply<Arguments = unknown> = (context: MutatorContext, args: Arguments) => unknown;

/** Whether the client reaches its shards. `offline`: it tries again by itself. */
export type ConnectionStatus = "idle" | "connecting" | "connected" | "offline";

/** How a queued mutation ended. */
export interface SettledMutation {
  /** `kept`: written by another identity; it stays in storage and is sent when that identity is back. */
  readonly status: "succeeded" | "rejected" | "kept";
  readonly mutationId: string;
  readonly path: string;
  /** Decoded. */
  readonly args: unknown;
  /** The name of the object it belongs to. */
  readonly shard: string;
  /** Absent when it succeeded. */
  readonly error?: LunoraError;
  /** Whether a caller of this page waits for it; false for what an earlier page left behind. */
  readonly hadAwaiter: boolean;
}

/** What a subscription tells. */
export interface SubscriptionHandlers<Data> {
  readonly onData?: (data: Data) => void;
  readonly onError?: (error: LunoraError) => void;
}

/** A running subscription. */
export interface Subscription<Data> {
  unsubscribe(): void;
  /** The last result, if there is one. */
  current(): Data | undefined;
}
