import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import type { TimelineEvent } from "../api/events.ts";
import { Feed } from "../api/feed.ts";
import type { FeedState } from "../api/feed.ts";
import { EventRing } from "../logic/event-ring.ts";
import { Rates } from "../logic/rates.ts";
import { announce } from "./announcer.ts";

/** Events that the page keeps; older ones are the server's. */
const CAPACITY = 100_000;
/** Of what happened before the page came, how many events it asks for. */
const BEFORE = 20_000;
/** Between two times that what arrived is shown, milliseconds; what comes after a pause is shown at once. */
const FLUSH = 32;

/** What happened, as far as the page keeps it. Read {@link version} beside it: that is what changes. */
export const ring: EventRing = new EventRing(CAPACITY);
/** Mutations per second of each object, of `*` all, and of the last two minutes. */
export const rates: Rates = new Rates(120);
/** When something of an object was last heard, epoch milliseconds. */
export const lastHeard: Map<string, number> = new Map();

/** When an object last stored something, epoch milliseconds. */
export const lastWritten: Map<string, number> = new Map();

export const version: Signal<number> = signal(0);
export const feedState: Signal<FeedState> = signal("connecting");
export const isPaused: Signal<boolean> = signal(false);
/** Events that wait behind a pause. */
export const waiting: Signal<number> = signal(0);
/** Events that never came here: dropped on their way to the server, or let go of there before this page had read them. */
export const missed: Signal<number> = signal(0);

let pending: TimelineEvent[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let shown = 0;

function count(event: TimelineEvent): void {
  if ("object" in event && typeof event.object === "string") lastHeard.set(event.object, event.at);
  if (event.type === "dropped") missed.value += event.count;
  if (event.type !== "commit") return;
  lastWritten.set(event.object, event.at);
  const mutations = Math.max(1, event.calls.length + (event.omittedCalls ?? 0));
  rates.add(event.object, event.at, mutations);
  rates.add("*", event.at, mutations);
}

function flush(): void {
  timer = undefined;
  shown = performance.now();
  if (isPaused.value || pending.length === 0) return;
  const events = pending;
  pending = [];
  waiting.value = 0;
  ring.add(events);
  for (const event of events) count(event);
  version.value += 1;
}

function take(events: readonly TimelineEvent[]): void {
  pending = pending.concat(events);
  if (pending.length > CAPACITY) pending = pending.slice(-CAPACITY);
  if (isPaused.value) waiting.value = pending.length;
  else timer ??= setTimeout(flush, Math.max(0, shown + FLUSH - performance.now()));
}

/** Holds what is shown still, or goes on. */
export function togglePause(): void {
  isPaused.value = !isPaused.value;
  announce(isPaused.value ? "Paused" : "Live again");
  flush();
}

/** Follows what happens; `next` is the number that the next event will have. Ends with the function it gives. */
export function followTimeline(token: string, first: number, next: number): () => void {
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/feed`;
  const feed = new Feed(address, token, Math.max(first - 1, next - 1 - BEFORE), {
    events: take,
    lagged: (lost) => (missed.value += lost),
    state: (state) => (feedState.value = state),
  });
  feed.open();
  return () => feed.close();
}
