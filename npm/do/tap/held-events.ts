/** Something that is told. */
export interface Told {
  /** Its JSON, where it is worth writing it at once, or what writes it at a time. */
  readonly line: string | ((now: number) => string);
  /** Characters that it keeps in memory, about. */
  readonly weight: number;
  /** How many events the inspector makes of it. */
  readonly events: number;
  /** Whether it stays when others are let go: what somebody did to the app is rare, and explains the rest. */
  readonly isMark?: boolean;
}

interface Held extends Told {
  /** Its place among all that was told. */
  readonly place: number;
}

/** What leaves together. */
export interface Batch {
  readonly held: readonly Held[];
  readonly weight: number;
  readonly events: number;
  /** Events that were let go before. */
  readonly dropped: number;
}

/** Characters that are held at most, by everything but the newest. */
export const HELD_LENGTH = 2_000_000;

/** Both, each where it was told. */
function inPlace(some: readonly Held[], others: readonly Held[]): Held[] {
  const all = [...some, ...others];
  return some.length === 0 ? all : all.toSorted((one, other) => one.place - other.place);
}

/** Marks that stay at most. */
const MOST_MARKS = 100;

/** What is told and has not left: as much as there is room for, the newest. */
export class HeldEvents {
  /** The oldest first; those before `#first` are gone. */
  #held: (Held | undefined)[] = [];
  #first = 0;
  /** Those that stayed when they would have been let go. */
  #marks: Held[] = [];
  #places = 0;
  #weight = 0;
  #events = 0;
  #dropped = 0;

  get isEmpty(): boolean {
    return this.#held.length === this.#first && this.#marks.length === 0;
  }

  add({ line, weight, events, isMark = false }: Told, limit: number): void {
    this.#places += 1;
    this.#held.push({ line, weight, events, isMark, place: this.#places });
    this.#weight += weight;
    this.#events += events;
    this.trim(limit);
  }

  /** Counts events that will not be told. */
  lose(count: number): void {
    this.#dropped += count;
  }

  /** Lets go of the oldest while there are more than `limit` events, or too much of them; never of the newest. */
  trim(limit: number): void {
    while ((this.#events > limit || this.#weight > HELD_LENGTH) && this.#held.length - this.#first > 1) {
      const oldest = this.#held[this.#first] as Held;
      this.#held[this.#first] = undefined;
      this.#first += 1;
      this.#weight -= oldest.weight;
      this.#events -= oldest.events;
      if (oldest.isMark && this.#marks.length < MOST_MARKS) this.#marks.push(oldest);
      else this.#dropped += oldest.events;
    }
    // What is gone is cut off now and then, so that letting go costs the same however much there is.
    if (this.#first > 512) this.#cutOff();
  }

  #cutOff(): void {
    this.#held = this.#held.slice(this.#first);
    this.#first = 0;
  }

  take(): Batch {
    this.#cutOff();
    for (const { weight, events } of this.#marks) {
      this.#weight += weight;
      this.#events += events;
    }
    const batch = {
      held: inPlace(this.#marks, this.#held as Held[]),
      weight: this.#weight,
      events: this.#events,
      dropped: this.#dropped,
    };
    this.#held = [];
    this.#marks = [];
    this.#weight = this.#events = this.#dropped = 0;
    return batch;
  }

  /** What did not arrive is held again, in its place. */
  putBack(batch: Batch, limit: number): void {
    this.#cutOff();
    this.#held = inPlace(batch.held, this.#held as Held[]);
    this.#weight += batch.weight;
    this.#events += batch.events;
    this.#dropped += batch.dropped;
    this.trim(limit);
  }
}
