import type { EventOf, TimelineEvent } from "../api/events.ts";

/** How much is let go of at once, as a part of the capacity: indexes are rebuilt only then. */
const LET_GO = 0.2;

/** The newest events, and what leads from one to another. */
export class EventRing {
  readonly #capacity: number;
  #events: TimelineEvent[] = [];
  #calls: Map<string, EventOf<"call">> = new Map();
  #requests: Map<string, EventOf<"request">> = new Map();
  #commits: Map<string, EventOf<"commit">[]> = new Map();
  #pokes: Map<string, EventOf<"poke">[]> = new Map();
  #letGo = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** From the oldest to the newest. */
  get events(): readonly TimelineEvent[] {
    return this.#events;
  }

  /** How many were let go of. */
  get letGo(): number {
    return this.#letGo;
  }

  add(events: readonly TimelineEvent[]): void {
    const last = this.#events.at(-1)?.n ?? -Infinity;
    for (const event of events) {
      // A feed that was taken up again may repeat what is known.
      if (event.n <= last) continue;
      this.#events.push(event);
      this.#index(event);
    }
    if (this.#events.length <= this.#capacity) return;
    const kept = Math.floor(this.#capacity * (1 - LET_GO));
    this.#letGo += this.#events.length - kept;
    this.#events = this.#events.slice(-kept);
    this.#calls = new Map();
    this.#requests = new Map();
    this.#commits = new Map();
    this.#pokes = new Map();
    for (const event of this.#events) this.#index(event);
  }

  call(id: string): EventOf<"call"> | undefined {
    return this.#calls.get(id);
  }

  request(id: string): EventOf<"request"> | undefined {
    return this.#requests.get(id);
  }

  /** The newest commit of the object that holds the position: an epoch may have used the number before. */
  commitAt(object: string, seq: number): EventOf<"commit"> | undefined {
    return this.#commits.get(object)?.findLast((commit) => commit.fromSeq < seq && seq <= commit.toSeq);
  }

  /** The call that wrote the change at a position. */
  callAt(object: string, seq: number): EventOf<"commit">["calls"][number] | undefined {
    return this.commitAt(object, seq)?.calls.find((call) => call.fromSeq < seq && seq <= call.toSeq);
  }

  /** What sockets of the object were sent of the positions after `fromSeq` up to `toSeq`, oldest first. */
  pokesOf(object: string, fromSeq: number, toSeq: number): EventOf<"poke">[] {
    const pokes = this.#pokes.get(object) ?? [];
    return pokes.filter((poke) => poke.fromSeq < toSeq && fromSeq < poke.toSeq);
  }

  #index(event: TimelineEvent): void {
    if (event.type === "call") this.#calls.set(event.call, event);
    else if (event.type === "request") this.#requests.set(event.call, event);
    else if (event.type === "commit") append(this.#commits, event);
    else if (event.type === "poke") append(this.#pokes, event);
  }
}

function append<Event extends { readonly object: string }>(lists: Map<string, Event[]>, event: Event): void {
  const list = lists.get(event.object);
  if (list === undefined) lists.set(event.object, [event]);
  else list.push(event);
}
