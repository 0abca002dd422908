// The file of types alone: the entry of the package is for Workers.
import type {
  ObservedCall,
  ObservedChange,
  ObservedCommit,
  ObservedFault,
  ObservedJob,
  ObservedLog,
  ObservedPoke,
  ObservedPokePart,
  ObservedRequest,
  ObservedSocket,
  ObservedSubscription,
  ObservedWatermark,
} from "../../../runtime/src/observed-event.ts";

/**
 * What happened in an app, as the inspector numbered it: what the observer was told, with arguments and images as JSON
 * text that may be cut. A `fromSeq` is the position before the first change, a `toSeq` the one of the last.
 */
type Told<Event> = Event & {
  /** The inspector's own increasing number. */
  readonly n: number;
  readonly region?: string | null;
};

/** Arguments as JSON text, cut at 4,096 characters. */
type Written<Event> = Omit<Event, "args"> & { readonly args?: string; readonly isCut?: boolean };

/** An HTTP request that the worker answered. */
export type RequestEvent = Told<ObservedRequest>;

/** A function that ran. */
export type CallEvent = Told<Written<ObservedCall>>;

/** A change of a row in a commit; images are cut at 8,192 characters. */
export type CommittedChange = ObservedChange & { readonly isCut?: boolean };

export type RowOperation = ObservedChange["op"];

/** Changes that one transaction stored, and the calls they came from. */
export type CommitEvent = Told<Omit<ObservedCommit, "changes"> & { readonly changes: readonly CommittedChange[] }>;

export type SocketEvent = Told<ObservedSocket>;

export type SubscriptionKind = ObservedSubscription["kind"];

export type SubscriptionEvent = Told<Written<ObservedSubscription>>;

export type PokedSubscription = ObservedPokePart;

/** What one socket was sent of a commit. */
export type PokeEvent = Told<ObservedPoke>;

export type WatermarkEvent = Told<ObservedWatermark>;

export type JobEvent = Told<ObservedJob>;

export type LogEvent = Told<ObservedLog>;

/** What the inspector says of chaos itself: where it began and ended, and a step that could not be taken. */
type ChaosNote = Pick<ObservedFault, "type" | "at" | "fault" | "object"> & {
  readonly state: "started" | "stopped" | "skipped";
  readonly by: "chaos";
  readonly seed: number;
  readonly step: number;
  /** Why a step was skipped: a code and a message. */
  readonly details?: Readonly<Record<string, unknown>>;
};

export type FaultEvent = Told<ObservedFault> | Told<ChaosNote>;

/** The inbox has changed. */
export type MailEvent = Told<{
  readonly type: "mail";
  readonly at: number;
  readonly id?: string;
  readonly change: string;
}>;

/** The tap had to let go of that many events. */
export type DroppedEvent = Told<{ readonly type: "dropped"; readonly at: number; readonly count: number }>;

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
