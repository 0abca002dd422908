// What an observer is told. The types stand apart from the seam because a reader of events needs nothing else.

/** What every event has. */
export interface ObservedMoment {
  /** Epoch milliseconds, by the clock of the host. */
  readonly at: number;
}

/** How a call ended: `ok`, or the code of its error. */
export type ObservedOutcome = string;

/** The Worker has answered a call, or another request that it does not answer itself. */
export interface ObservedRequest extends ObservedMoment {
  readonly type: "request";
  /** The id that the call's other events carry as well. */
  readonly call: string;
  /** Of the URL. */
  readonly path: string;
  /** Absent where the request is no call of a function. */
  readonly functionPath?: string;
  /** Name of the object that was asked; absent when there was none, or several. */
  readonly object?: string;
  /** How many shards a fan-out asked. */
  readonly objects?: number;
  readonly userId: string | null;
  /** Of the answer; of a call among several in one request, its own. */
  readonly status: number;
  /** Of the error that was answered. */
  readonly code?: string;
  /** Until the answer was there, milliseconds. */
  readonly ms: number;
  /** The object lies in a jurisdiction, and the Worker runs in `from`. */
  readonly crossing?: { readonly from: string | null; readonly to: string };
}

/** A function has run. Of mutations told after their commit. */
export interface ObservedCall extends ObservedMoment {
  readonly type: "call";
  /** `null`: it ran in the Worker. */
  readonly object: string | null;
  readonly call: string;
  readonly kind: "query" | "mutation" | "action" | "stream" | "job";
  readonly functionPath: string;
  /** Wire-encoded; an observer that keeps it has to bound it. */
  readonly args: unknown;
  readonly userId: string | null;
  readonly clientId?: string;
  readonly mutationId?: string;
  readonly clientSeq?: unknown;
  /** The call that made it: of an action, or of a request that the app answers itself. */
  readonly parent?: string;
  readonly outcome: ObservedOutcome;
  /** From its arrival to its outcome, milliseconds; the platform's clock stands still while code runs. */
  readonly ms: number;
  /** The newest position of the log before, and after, the changes of its own; absent when it changed nothing. */
  readonly fromSeq?: number;
  readonly toSeq?: number;
}

/** Changes that were made by one call of a group: those behind `fromSeq`, up to `toSeq`. */
export interface ObservedCause {
  readonly call: string;
  readonly functionPath: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** One change of one row. */
export interface ObservedChange {
  readonly seq: number;
  readonly table: string;
  readonly id: string;
  readonly op: "insert" | "update" | "delete";
  /** The row's columns as JSON in wire form, whole; an observer that keeps them has to bound them. */
  readonly before?: string;
  readonly after?: string;
}

/** Changes of a group are on their way to disk. Triggers, cascades and nested functions count to the call that ran. */
export interface ObservedCommit extends ObservedMoment {
  readonly type: "commit";
  readonly object: string;
  readonly epoch: string;
  /** The newest position before, and after. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** What wrote: calls, the sweep of what expires, or an operation of an admin. */
  readonly by: "calls" | "sweep" | "admin";
  /** Calls that changed something, in their order; none of a sweep. */
  readonly calls: readonly ObservedCause[];
  /** The first of them, {@link OBSERVED_CHANGES} at most. */
  readonly changes: readonly ObservedChange[];
  /** How many more there are. */
  readonly omitted?: number;
  /** How many calls ran that are told by nothing else, and whose changes are among those omitted: too much happened at once. */
  readonly omittedCalls?: number;
}

/** Changes that one event holds. */
export const OBSERVED_CHANGES = 200;

export interface ObservedSocket extends ObservedMoment {
  readonly type: "socket";
  readonly object: string;
  readonly socket: string;
  /** `connected`: its client has said who it is; `woken`: it outlived the object's sleep. */
  readonly state: "opened" | "connected" | "woken" | "closed";
  readonly userId: string | null;
  readonly clientId?: string;
  /** Of the close. */
  readonly code?: number;
  readonly reason?: string;
}

export interface ObservedSubscription extends ObservedMoment {
  readonly type: "subscription";
  readonly object: string;
  readonly socket: string;
  /** Of the subscription; the client's own. */
  readonly id: string;
  readonly kind: "query" | "shape" | "stream";
  /** Path of the function, or name of the shape. */
  readonly name: string;
  /** Wire-encoded, as of {@link ObservedCall}; absent when it ends. */
  readonly args?: unknown;
  /** `resumed`: the client goes on from what it has; `reseeded`: it had something and is given everything. */
  readonly state: "began" | "resumed" | "reseeded" | "ended" | "refused";
  /**
   * Why it was seeded again: `EPOCH_CHANGED`, `CDC_LOG_TRIMMED`, `VERSION_CHANGED`, `RESULT_CHANGED`,
   * `CHECKPOINT_AHEAD`, `CHECKPOINT_INVALID`; or the code of the error that refused or ended it.
   */
  readonly cause?: string;
  /** Rows that were sent, where the answer has rows. */
  readonly rows?: number;
}

/** What a poke does to one subscription. */
export interface ObservedPokePart {
  readonly id: string;
  readonly kind: "query" | "shape";
  readonly name: string;
  /** Rows that came, or came to be others; of a query whose result was sent whole, all of its rows. */
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Ids of rows, {@link OBSERVED_ROWS} at most; not known where a result was sent whole. */
  readonly rows?: readonly string[];
}

/** Ids that one part holds. */
export const OBSERVED_ROWS = 50;

/** What one commit made one socket be sent, acknowledgements included. */
export interface ObservedPoke extends ObservedMoment {
  readonly type: "poke";
  readonly object: string;
  readonly socket: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Messages that were handed to the platform. */
  readonly frames: number;
  /** Bytes of them. */
  readonly bytes: number;
  readonly subscriptions: readonly ObservedPokePart[];
  /** Calls that changed something in that commit. */
  readonly calls: readonly string[];
  /** From the commit to the hand-over, milliseconds. */
  readonly ms: number;
}

/** Where the sequence of one client is. */
export interface ObservedPlace {
  readonly userId: string | null;
  readonly clientId: string;
  /** The last that was decided. */
  readonly lastMutationId: number;
  /** Why an entry was refused: `OUT_OF_ORDER`. */
  readonly outcome?: string;
}

/** Sequences of clients have moved with a group, or one was not continued. */
export interface ObservedWatermark extends ObservedMoment {
  readonly type: "watermark";
  readonly object: string;
  readonly clients: readonly ObservedPlace[];
}

export interface ObservedJob extends ObservedMoment {
  readonly type: "job";
  /** The shard that it runs in; `null`: the Worker. */
  readonly object: string | null;
  readonly jobId: string;
  readonly functionPath: string;
  readonly state: "scheduled" | "running" | "done" | "retrying" | "failed" | "cancelled";
  /** How many attempts have failed. */
  readonly attempt?: number;
  /** Of the last error. */
  readonly code?: string;
}

/** The app has written a line to its console. */
export interface ObservedLog extends ObservedMoment {
  readonly type: "log";
  readonly level: "debug" | "log" | "info" | "warn" | "error";
  readonly text: string;
  readonly call?: string;
  readonly functionPath?: string;
  readonly object?: string;
  /** Of an error that was logged. */
  readonly stack?: string;
}

/** Somebody disturbs the app on purpose. */
export interface ObservedFault extends ObservedMoment {
  readonly type: "fault";
  /** See `inspect/fault` in section 11 of the protocol. */
  readonly fault: string;
  /** `armed`: it waits for what it strikes, and is told again when it does. */
  readonly state: "armed" | "happened";
  readonly by: "user" | "chaos";
  /** Of the chaos, and which of its steps this is. */
  readonly seed?: number;
  readonly step?: number;
  readonly object?: string;
  readonly socket?: string;
  /** Of `failRegion` alone; `null`: the objects that are in none. */
  readonly region?: string | null;
  /** What was asked for, or what became of it. */
  readonly details: Readonly<Record<string, unknown>>;
}

export type ObservedEvent =
  | ObservedRequest
  | ObservedCall
  | ObservedCommit
  | ObservedSocket
  | ObservedSubscription
  | ObservedPoke
  | ObservedWatermark
  | ObservedJob
  | ObservedLog
  | ObservedFault;
