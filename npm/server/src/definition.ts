import type { Address, FanOutMerge, FunctionKind, FunctionVisibility } from "@lunora/protocol";
import type { AnyValidator, ValidatorMap } from "@lunora/values";

import type { Environment, Identity } from "./context.ts";
import type { DatabaseWriter } from "./database.ts";
import type { EmailHandler } from "./inbound-mail.ts";
import type { Jurisdiction } from "./jurisdiction.ts";
import type { Scheduler, SchedulingPart } from "./scheduler.ts";
import type { Untyped } from "./untyped.ts";

/** Which tier a table lives in and how it is addressed. */
export type ShardMode =
  | { readonly kind: "root" }
  | { readonly kind: "shardBy"; readonly field: string }
  | { readonly kind: "colocated" }
  | { readonly kind: "global" };

/** A declared index, or one implied by a unique column (then named `unique_<column>`). */
export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly string[];
  readonly unique: boolean;
}

/** What happens to a row when the row it points at is deleted. */
export type OnDelete = "cascade" | "restrict" | "set null";

/** A relation between two tables. */
export interface RelationDefinition {
  /** `one`: this table holds the foreign key. `many`: the other table holds it. */
  readonly kind: "one" | "many";
  readonly table: string;
  /** The field that holds the foreign key: of this table for `one`, of the other for `many`. */
  readonly field: string;
  /** The field pointed at. */
  readonly references: string;
  /** Only on `one`. */
  readonly onDelete?: OnDelete;
}

/** What a trigger's handler gets. Before-handlers may return a changed document, or throw to refuse. */
export interface TriggerEvent {
  readonly ctx: { readonly db: DatabaseWriter<Untyped>; readonly scheduler: Scheduler };
  readonly id: string;
  /** The row as it will be, or is, written; absent on delete. */
  readonly document?: Readonly<Record<string, Untyped>>;
  /** The row as it was; absent on insert. */
  readonly previous?: Readonly<Record<string, Untyped>>;
}

export type TriggerTiming = "before" | "after";
export type TriggerOperation = "insert" | "update" | "delete";
export type TriggerHandler = (event: TriggerEvent) => unknown;

/** A trigger. */
export interface TriggerDefinition {
  readonly timing: TriggerTiming;
  readonly event: TriggerOperation;
  readonly handler: TriggerHandler;
}

/** A table as data. */
export interface TableDefinition {
  /** Columns in source order, without `_id` and `_creationTime`. */
  readonly columns: ValidatorMap;
  readonly shardMode: ShardMode;
  readonly indexes: readonly IndexDefinition[];
  readonly relations: Readonly<Record<string, RelationDefinition>>;
  readonly triggers: Readonly<Record<string, TriggerDefinition>>;
  /** Rows are marked in this field (epoch milliseconds) instead of removed. */
  readonly softDelete?: { readonly field: string };
  /** Rows expire `after` milliseconds after the time in `field`. */
  readonly timeToLive?: { readonly field: string; readonly after: number };
  /** Exempt from `.rls("required")`. */
  readonly isPublic: boolean;
}

/** A schema as data; what `defineSchema` returns has these properties. */
export interface SchemaDefinition {
  readonly tables: Readonly<Record<string, TableDefinition>>;
  /** What `.jurisdiction(…)` said. */
  readonly pinnedJurisdiction?: Jurisdiction;
  /** What `.rls("required")` said. */
  readonly rowLevelSecurity?: "required";
}

/** What a handler gets, without types: the typed view is the builder's business. */
export interface HandlerOptions {
  readonly ctx: Untyped;
  readonly args: Untyped;
  /** Of streams. */
  readonly signal?: AbortSignal;
}

/** A handler as stored in a registration. */
export type Handler = (options: HandlerOptions) => unknown;

/** What a middleware's `next` resolves to; its only use is to be returned. */
export interface MiddlewareResult<Added = unknown> {
  readonly value: unknown;
  /** Never present at run time: what the middleware adds to `ctx`. */
  readonly "~added"?: Added;
}

/** A middleware as stored in a registration. */
export type StoredMiddleware = (options: {
  readonly ctx: Untyped;
  readonly args: Untyped;
  readonly next: (options?: { readonly ctx?: object }) => Promise<MiddlewareResult>;
}) => Promise<MiddlewareResult>;

/** How the chunks of a stream are kept. */
export interface StreamDurability {
  /** How long after its end, milliseconds. */
  readonly ttlMs: number;
}

/**
 * What a builder's terminal returns. `Input` and `Result` are for inference: `ReferenceOf` turns
 * them into the reference a call site sees.
 */
export interface RegisteredFunction<
  Kind extends FunctionKind = FunctionKind,
  Input extends ValidatorMap = ValidatorMap,
  Result = Untyped,
  Visibility extends FunctionVisibility = FunctionVisibility,
> {
  readonly kind: Kind;
  readonly visibility: Visibility;
  readonly input: Input;
  readonly output?: AnyValidator;
  readonly middleware: readonly StoredMiddleware[];
  readonly meta: Readonly<Record<string, unknown>>;
  /** `.shard("argument" | "__root__")`; read by codegen, kept for inspection. */
  readonly shard?: string;
  /** `.fanOut(merge)`; read by codegen, kept for inspection. */
  readonly fanOut?: FanOutMerge;
  readonly handler: Handler;
  /** `.stream(…, { durable })` */
  readonly durable?: StreamDurability;
  /** Never present at run time. Of a stream: a chunk. */
  readonly "~result"?: Result;
}

/** One line of the generated registry. */
export interface FunctionRegistryEntry {
  readonly kind: FunctionKind;
  readonly visibility: FunctionVisibility;
  readonly address: Address;
  /** Imports the file the function is in. */
  readonly module: () => Promise<Record<string, unknown>>;
  readonly exportName: string;
}

/**
 * A file of functions: what imports it, and what it exports, as the JSON text of
 * `{[export]: [kind, visibility, address]}`. A text costs nothing until somebody asks for one of its functions.
 */
export type FunctionRegistryFile = readonly [module: () => Promise<Record<string, unknown>>, exports: string];

/** Every function by its wire path, `file:export`; generated ones by `file`. Read it with `findFunction`. */
export type FunctionRegistry = Readonly<Record<string, FunctionRegistryEntry | FunctionRegistryFile>>;

/** One line of the generated registry of shapes. */
export interface ShapeRegistryEntry {
  readonly table: string;
  /** `root`, or `argument`: a shape is in one shard. */
  readonly address: Address;
  /** Imports the file the shape is in. */
  readonly module: () => Promise<Record<string, unknown>>;
  readonly exportName: string;
}

/** Generated: every shape by its name. */
export type ShapeRegistry = Readonly<Record<string, ShapeRegistryEntry>>;

/** One line of the generated registry of kinds of rooms. */
export interface PresenceRegistryEntry {
  /** Imports the file it is in. */
  readonly module: () => Promise<Record<string, unknown>>;
  readonly exportName: string;
}

/** Generated: every kind of room by its path. */
export type PresenceRegistry = Readonly<Record<string, PresenceRegistryEntry>>;

/** One line of the generated registry of data migrations. */
export interface MigrationRegistryEntry {
  readonly table: string;
  /** Whether it can be taken back. */
  readonly hasDown: boolean;
  /** Imports the file it is in. */
  readonly module: () => Promise<Record<string, unknown>>;
  readonly exportName: string;
}

/** Generated: every data migration by its id, in the order of the ids. */
export type MigrationRegistry = Readonly<Record<string, MigrationRegistryEntry>>;

/** The shard a call is about to reach. */
export interface ShardTarget {
  /** The shard field; `null` for the root. */
  readonly field: string | null;
  /** The shard's value as text; `null` for the root. */
  readonly value: string | null;
  /** The object's name. */
  readonly name: string;
}

/** The lifetime of a request in the Worker. */
export interface ExecutionLifetime {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
}

/** `export default defineApp({ … })` of `lunora/app.ts`. */
export interface AppOptions {
  /** Turns the bearer token of a request into an identity; `null` for nobody. Throwing refuses the call. */
  resolveIdentity?(options: {
    readonly token: string | undefined;
    readonly request: Request;
    readonly env: Environment;
  }): Promise<Identity | null> | Identity | null;
  /**
   * May this caller reach this shard? Asked for every shard but the root, and for the root too
   * once it is set. Without it sharded calls are refused and root calls allowed. Calls that
   * functions make are not asked about. `functionPath` is `null` when a socket is opened; on the
   * socket it is asked again for each function, each shape by its name, and each whisper topic as
   * `whisper:<topic>`.
   */
  authorizeShard?(options: {
    readonly identity: Identity | null;
    readonly shard: ShardTarget;
    readonly functionPath: string | null;
    readonly env: Environment;
  }): boolean | Promise<boolean>;
  /** May this caller read all shards at once? Refused without it. */
  authorizeFanOut?(options: {
    readonly identity: Identity | null;
    readonly functionPath: string;
    readonly env: Environment;
  }): boolean | Promise<boolean>;
  /** The app's own routes, after the reserved paths. */
  fetch?(request: Request, env: Environment, context: ExecutionLifetime): Response | Promise<Response>;
  /** Takes inbound mails: `createInboundEmailHandler` of `@lunora/mail/inbound`. */
  readonly email?: EmailHandler;
  /** Origins, besides the Worker's own, whose pages may open sockets: `https://app.example`. */
  readonly allowedOrigins?: readonly string[];
  /** How much of each shard's op-log is kept for clients that come back. */
  readonly opLog?: {
    /** Changes; 100,000 when left out. For a few minutes after a burst up to four times as many are kept. */
    readonly rows?: number;
    /** Milliseconds; a day when left out. */
    readonly ageMs?: number;
  };
  /**
   * How often an object looks whether `.global()` tables have changed, milliseconds, while somebody is subscribed to a shape over
   * one or to a query that reads one; 2,000 when left out. Between two looks they learn of nothing.
   */
  readonly globalPoll?: number;
  /** What durable streams keep. A run that would keep more ends with `STREAM_TOO_LONG`. */
  readonly streams?: {
    /** Chunks of one run; 50,000 when left out. */
    readonly chunks?: number;
    /** Bytes of one run's chunks; 67,108,864 when left out. */
    readonly bytes?: number;
    /**
     * Bytes of all runs of a shard, each chunk and each run counted as 64 more; 536,870,912 when left out. Runs that have
     * ended are forgotten before their time to make room.
     */
    readonly keptBytes?: number;
    /** A run that nobody hears for so long, milliseconds, ends with `STREAM_INTERRUPTED`; an hour when left out. */
    readonly unheardMs?: number;
  };
  /**
   * A client that pushed nothing for so long, milliseconds, is forgotten by the shard; 90 days when left out.
   * When it comes back it is a new client, and what it did before is not done again.
   */
  readonly forgetClientsAfterMs?: number;
  readonly limits?: {
    /** Longest request body, bytes. */
    readonly bodyBytes?: number;
  };
}

/** Everything a worker is made of: what generated code hands to the runtime. */
export interface LunoraDefinition {
  /** What answers admins inside objects: `admin` of `@lunora/do`. Without it export and import are not there. */
  readonly admin?: object;
  readonly schema: SchemaDefinition;
  readonly functions: FunctionRegistry;
  /** Absent in an app without shapes. */
  readonly shapes?: ShapeRegistry;
  /** What answers subscriptions to shapes: `shaping` of `@lunora/do`. There when `shapes` is. */
  readonly shaping?: object;
  /** Absent in an app without data migrations. */
  readonly migrations?: MigrationRegistry;
  /** Absent in an app without rooms. */
  readonly presence?: PresenceRegistry;
  /** What keeps `.global()` tables: `globals` of `@lunora/do`. Absent in an app that has none. */
  readonly globals?: object;
  /** What runs streams inside shards: `streams` of `@lunora/do`. Absent in an app that has none. */
  readonly streams?: object;
  /** What asks all shards: `fanOut` of `@lunora/runtime`. Absent in an app in which no query does. */
  readonly fanOut?: object;
  /** Absent in an app that schedules nothing. */
  readonly scheduling?: SchedulingPart;
  /** Fingerprint of columns and tiers, computed by codegen: two apps with the same one hold the same rows. */
  readonly schemaVersion?: string;
  readonly app: AppOptions;
}
