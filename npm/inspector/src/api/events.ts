/**
 * What happened in an app, as the inspector numbered it. Times are epoch milliseconds of the host. A `fromSeq` is the
 * position before the first change, a `toSeq` the one of the last.
 */
interface Told {
  /** The inspector's own increasing number. */
  readonly n: number;
  readonly at: number;
  readonly region?: string | null;
}

/** An HTTP request that the worker answered. */
export interface RequestEvent extends Told {
  readonly type: "request";
  readonly call: string;
  readonly path: string;
  readonly functionPath?: string;
  readonly object?: string;
  readonly objects?: number;
  readonly userId: string | null;
  readonly status: number;
  readonly code?: string;
  readonly ms: number;
  readonly crossing?: { readonly from: string | null; readonly to: string | null };
}

/** A function that ran. `args` is JSON text, cut at 4,096 characters. */
export interface CallEvent extends Told {
  readonly type: "call";
  /** `null`: it ran in the Worker. */
  readonly object: string | null;
  readonly call: string;
  readonly kind: "query" | "mutation" | "action" | "stream" | "job";
  readonly functionPath: string;
  readonly args?: string;
  readonly isCut?: boolean;
  readonly userId: string | null;
  readonly clientId?: string;
  readonly mutationId?: string;
  readonly clientSeq?: number;
  readonly outcome: string;
  readonly ms: number;
  readonly fromSeq?: number;
  readonly toSeq?: number;
}

/** A change of a row in a commit; images are JSON text, cut at 8,192 characters. */
export interface CommittedChange {
  readonly seq: number;
  readonly table: string;
  readonly id: string;
  readonly op: RowOperation;
  readonly before?: string;
  readonly after?: string;
  readonly isCut?: boolean;
}

export type RowOperation = "insert" | "update" | "delete";

/** Changes that one transaction stored, and the calls they came from. */
export interface CommitEvent extends Told {
  readonly type: "commit";
  readonly object: string;
  readonly epoch: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** What wrote: calls, the sweep of what expires, or an operation of an admin. */
  readonly by?: "calls" | "sweep" | "admin";
  readonly calls: readonly {
    readonly call: string;
    readonly functionPath: string;
    readonly fromSeq: number;
    readonly toSeq: number;
  }[];
  readonly changes: readonly CommittedChange[];
  /** How many changes were left out of the event. */
  readonly omitted?: number;
}

export interface SocketEvent extends Told {
  readonly type: "socket";
  readonly object: string;
  readonly socket: string;
  readonly state: "opened" | "connected" | "woken" | "closed";
  readonly userId: string | null;
  readonly clientId?: string;
  readonly code?: number | string;
  readonly reason?: string;
}

export type SubscriptionKind = "query" | "shape" | "stream";

export interface SubscriptionEvent extends Told {
  readonly type: "subscription";
  readonly object: string;
  readonly socket: string;
  readonly id: string;
  readonly kind: SubscriptionKind;
  readonly name: string;
  readonly args?: string;
  readonly state: "began" | "resumed" | "reseeded" | "ended" | "refused";
  readonly cause?: string;
  readonly rows?: number;
  readonly ms?: number;
}

/** What one socket was sent of a commit. */
export interface PokeEvent extends Told {
  readonly type: "poke";
  readonly object: string;
  readonly socket: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly frames: number;
  readonly bytes: number;
  readonly subscriptions: readonly PokedSubscription[];
  /** Ids of the calls whose changes caused it. */
  readonly calls?: readonly string[];
  /** From commit to hand-over, milliseconds. */
  readonly ms: number;
}

export interface PokedSubscription {
  readonly id: string;
  readonly kind: SubscriptionKind;
  readonly name: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rows?: readonly string[];
}

export interface WatermarkEvent extends Told {
  readonly type: "watermark";
  readonly object: string;
  readonly userId: string | null;
  readonly clientId: string;
  readonly lastMutationId: number | string;
  readonly outcome?: string;
}

export interface JobEvent extends Told {
  readonly type: "job";
  readonly object: string;
  readonly jobId: string;
  readonly functionPath: string;
  readonly state: string;
  readonly attempt?: number;
}

export interface LogEvent extends Told {
  readonly type: "log";
  readonly level: "debug" | "info" | "log" | "warn" | "error";
  readonly text: string;
  readonly call?: string;
  readonly functionPath?: string;
  readonly object?: string;
  readonly stack?: string;
}

export interface FaultEvent extends Told {
  readonly type: "fault";
  readonly fault: string;
  readonly object?: string;
  readonly socket?: string;
  readonly by: "user" | "chaos";
}

/** The inbox has changed. */
export interface MailEvent extends Told {
  readonly type: "mail";
  readonly id?: string;
  readonly change: string;
}

/** The tap had to let go of that many events. */
export interface DroppedEvent extends Told {
  readonly type: "dropped";
  readonly count: number;
}

export type TimelineEvent =
  | RequestEvent
  | CallEvent
  | CommitEvent
  | SocketEvent
  | SubscriptionEvent
  | PokeEvent
  | WatermarkEvent
  | JobEvent
  | LogEvent
  | FaultEvent
  | MailEvent
  | DroppedEvent;

export type EventType = TimelineEvent["type"];
export type EventOf<Type extends EventType> = Extract<TimelineEvent, { type: Type }>;
