import { HeldEvents } from "./held-events.ts";
import type { Batch, Told } from "./held-events.ts";

/** How long after the first event a batch leaves while somebody looks: at ease, and while batches follow each other; and while nobody does, milliseconds. */
const OPEN_PAUSE = 20;
const BUSY_PAUSE = 50;
const CLOSED_PAUSE = 1_000;

/** A batch leaves so late after the last one, and they are taken not to follow each other, milliseconds. */
const EASE = 150;

/** Events that are held while somebody looks, and while nobody does. */
const OPEN_EVENTS = 8_000;
const CLOSED_EVENTS = 200;

/** Events of a second after which what happens often is not told one by one: while somebody looks, and while nobody does. */
const OPEN_RATE = 2_000;
const CLOSED_RATE = CLOSED_EVENTS;

/** Milliseconds. */
const SECOND = 1_000;

/** Batches that are under way while somebody looks; while nobody does it is one. */
const UNDER_WAY = 3;

/** How long an answer may take, milliseconds. */
const ANSWER_LIMIT = 5_000;

/** Whoever is late by so much was begun by a request or an object that is gone, milliseconds. */
const LATE = 500;

/** How often a farewell looks whether others were answered, milliseconds. */
const LOOK_PAUSE = 2;

function pauseFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** What a courier needs of where it runs. */
export interface CourierHost {
  /** Epoch milliseconds. */
  now(): number;
  /** Sends lines; answers whether somebody looks. Rejects when nobody took them. */
  post(lines: string, signal: AbortSignal): Promise<boolean>;
  /** Keeps alive what runs in the request or object that is present. Throws where there is none. */
  keep(work: Promise<void>): void;
  /** The first line of a batch. */
  head(now: number): string;
  /** A line that says that so many events are gone. */
  lost(now: number, count: number): string;
}

/** A batch that has left and was not answered. */
interface Flight {
  readonly batch: Batch;
  /** When whoever waits for the answer is taken for gone, epoch milliseconds. */
  readonly until: number;
}

/**
 * Brings what is told to the inspector, in batches. An object hears the answer to a request late while it is busy, so the
 * next batch does not wait for the answer to the one before.
 */
export class Courier {
  readonly #host: CourierHost;
  readonly #held = new HeldEvents();
  readonly #flights = new Set<Flight>();
  #isOpen = false;
  /** When whoever is about to send is taken for gone, epoch milliseconds; `undefined`: nobody is. */
  #dueBy: number | undefined;
  #newest: (() => Told) | undefined;
  /** Epoch milliseconds. */
  #secondEnd = 0;
  #toldOfSecond = 0;
  #turn = 0;
  #sentAt = 0;

  constructor(host: CourierHost) {
    this.#host = host;
  }

  /** Whether somebody looks. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get #limit(): number {
    return this.#isOpen ? OPEN_EVENTS : CLOSED_EVENTS;
  }

  /** `at`: about now, epoch milliseconds. */
  tell(told: Told, at: number): void {
    this.#holdNewest();
    this.#held.add(told, this.#limit);
    this.#pass(at, told.events);
    if (this.#dueBy === undefined || at >= this.#dueBy) this.#arrange();
  }

  /** Counts events that will not be told. */
  lose(count: number): void {
    this.#held.lose(count);
  }

  /**
   * Whether what happens often is not to be told one by one: as much was told in this second as whoever looks can take in, or
   * as is held while nobody does. So the first of each second are told.
   */
  get isSated(): boolean {
    return this.#toldOfSecond >= (this.#isOpen ? OPEN_RATE : CLOSED_RATE) && this.#host.now() < this.#secondEnd;
  }

  /** Counts events that nobody put together. `newest`: what to tell should no others follow. `at`: about now, epoch milliseconds. */
  skip(count: number, at: number, newest?: () => Told): void {
    this.#held.lose(count);
    if (newest !== undefined) this.#newest = newest;
    this.#pass(at, 0);
    if (this.#dueBy === undefined || at >= this.#dueBy) this.#arrange();
  }

  /** Counts what is told in a second. */
  #pass(at: number, events: number): void {
    if (at >= this.#secondEnd) {
      this.#secondEnd = at + SECOND;
      this.#toldOfSecond = 0;
    }
    this.#toldOfSecond += events;
  }

  /** What was skipped last is told after all. */
  #holdNewest(): void {
    const newest = this.#newest?.();
    this.#newest = undefined;
    if (newest === undefined) return;
    this.#held.lose(-newest.events);
    this.#held.add(newest, this.#limit);
  }

  /** Sends at once what is held; resolves when everything that was under way has been answered, or given up. */
  async flush(): Promise<void> {
    const others = [...this.#flights];
    this.#turn += 1;
    this.#dueBy = undefined;
    this.#holdNewest();
    if (!this.#held.isEmpty) await this.#send();
    // Promises of another object cannot be awaited here.
    while (others.some((flight) => this.#flights.has(flight) && this.#host.now() < flight.until))
      await pauseFor(LOOK_PAUSE);
  }

  /** Sees to it that what is held leaves. */
  #arrange(): void {
    const now = this.#host.now();
    if (this.#dueBy !== undefined && now < this.#dueBy) return;
    this.#dueBy = undefined;
    for (const flight of this.#flights) if (now >= flight.until) this.#giveUp(flight);
    if (this.#flights.size >= (this.#isOpen ? UNDER_WAY : 1)) return;
    const since = now - this.#sentAt;
    const open = since > EASE ? OPEN_PAUSE : BUSY_PAUSE;
    const pause = this.#isOpen ? open : Math.max(OPEN_PAUSE, CLOSED_PAUSE - since);
    this.#turn += 1;
    const turn = this.#turn;
    this.#dueBy = now + pause + LATE;
    try {
      this.#host.keep(this.#sendAfter(turn, pause));
    } catch {
      // While modules are evaluated nothing can be sent; the next event tries again.
      this.#dueBy = undefined;
    }
  }

  /** Runs in the request or object that it was begun in. */
  async #sendAfter(turn: number, pause: number): Promise<void> {
    await pauseFor(pause);
    if (turn !== this.#turn) return;
    this.#dueBy = undefined;
    await this.#send();
  }

  async #send(): Promise<void> {
    const now = this.#host.now();
    this.#sentAt = now;
    this.#holdNewest();
    const flight: Flight = { batch: this.#held.take(), until: now + ANSWER_LIMIT + LATE };
    this.#flights.add(flight);
    const given = new AbortController();
    // Not `AbortSignal.timeout`: its timer cannot be taken back, and would keep the object from falling asleep.
    const timer = setTimeout(() => given.abort(), ANSWER_LIMIT);
    try {
      const isOpen = await this.#host.post(this.#text(flight.batch, now), given.signal);
      if (!this.#flights.delete(flight)) return;
      this.#isOpen = isOpen;
    } catch {
      if (!this.#flights.has(flight)) return;
      this.#isOpen = false;
      // Whoever is not there has heard nothing; whoever does not answer may have heard all of it.
      if (given.signal.aborted) this.#giveUp(flight);
      else {
        this.#flights.delete(flight);
        this.#held.putBack(flight.batch, this.#limit);
      }
    } finally {
      clearTimeout(timer);
    }
    this.#held.trim(this.#limit);
    if (this.#dueBy === undefined && (!this.#held.isEmpty || this.#newest !== undefined)) this.#arrange();
  }

  #giveUp(flight: Flight): void {
    this.#flights.delete(flight);
    this.#held.lose(flight.batch.events + flight.batch.dropped);
  }

  #text({ held, dropped }: Batch, now: number): string {
    let lines = `${this.#host.head(now)}\n`;
    if (dropped > 0) lines += `${this.#host.lost(now, dropped)}\n`;
    for (const { line } of held) lines += `${typeof line === "string" ? line : line(now)}\n`;
    return lines;
  }
}
