import { isLunoraError, LunoraError } from "@lunora/errors";

import type { LiveMirror, MirrorUsers } from "../live/live-host.ts";
import type { Membership } from "../live/membership.ts";
import type { ExpirySource } from "../shard-alarm.ts";
import type { Table } from "../table.ts";
import type { GlobalDatabase } from "./global-database.ts";
import { MirrorCopy } from "./mirror-copy.ts";
import type { CopyHost } from "./mirror-copy.ts";
import { keyOf } from "./mirror-conditions.ts";
import type { MirroredCondition } from "./mirror-conditions.ts";
import { loadConditions } from "./mirror-load.ts";
import { isLost, MirrorReader } from "./mirror-reader.ts";

/** Between two polls while somebody is subscribed, milliseconds. */
const INTERVAL = 2_000;

/** While the database does not answer polls are this far apart at most, milliseconds. */
const LONGEST_PAUSE = 60_000;

/** Rows that nobody needs any more are kept so long, milliseconds, for those whose connection just broke. */
const GRACE = 5 * 60 * 1000;

/** An alarm rings a little early by the object's clock, milliseconds. */
const EARLY = 5;

/** Conditions whose rows are read together. */
const TOGETHER = 8;

/** How often the rows of a condition are asked for before whoever waits is told. */
const ATTEMPTS = 3;

export interface MirrorHost extends CopyHost {
  readonly database: Pick<GlobalDatabase, "read">;
  /** Between two polls, milliseconds. */
  readonly interval?: number | undefined;
  /** Epoch milliseconds. */
  now(): number;
  users(): MirrorUsers;
  /** Resolves when all turns that wait now are over. */
  afterTurns(): Promise<void>;
  /** The object's alarm is to ring by then, and to call {@link GlobalMirror.ring}. */
  wakeAt(time: number): void;
  /** The database could not be followed. Told once until it can again. */
  failed(error: unknown): void;
}

interface Waiting {
  readonly condition: MirroredCondition;
  attempts: number;
}

/**
 * Follows the database of global tables for the subscriptions of one object, which have no other way to learn of its
 * changes: copies the rows that their shapes need, and says which tables have changed.
 *
 * What is read of the database is read outside of turns, one thing after the other, and applied in turns. So copies
 * are never older than what was applied before, and nothing of the object waits for the database.
 */
export class GlobalMirror implements LiveMirror, ExpirySource {
  readonly #host: MirrorHost;
  readonly #reader: MirrorReader;
  readonly #copy: MirrorCopy;
  readonly #interval: number;
  readonly #openedAt: number;
  #tail: Promise<void> = Promise.resolve();
  /** A round of following that has not begun yet. */
  #next: Promise<void> | undefined;
  readonly #wanted: Waiting[] = [];
  /** For the next poll. */
  readonly #late: Waiting[] = [];
  #due: number | null = null;
  /** Copies are no older than polling makes them. */
  #isFollowing = false;
  /** Of any table it is not known whether its readers have seen the newest. */
  #isUnsure = true;
  /** Copies are being compared with what is there, since changes were missed. */
  #isLost = false;
  #failures = 0;
  /** Copies have moved on since the object woke. */
  #hasBegun = false;
  #isStopped = false;

  constructor(host: MirrorHost, tables: ReadonlyMap<string, Table>) {
    this.#host = host;
    this.#reader = new MirrorReader(host.database);
    const write: CopyHost["write"] = (change, polled) =>
      host.write((commit) => {
        if (this.#isStopped) throw new LunoraError("SHARD_UNAVAILABLE", "another engine has the storage");
        change(commit);
      }, polled);
    this.#copy = new MirrorCopy({ ...host, write }, tables);
    this.#interval = host.interval ?? INTERVAL;
    this.#openedAt = host.now();
    if (this.#copy.isThere) this.#due = this.#openedAt;
  }

  table(name: string): Table | undefined {
    return this.#copy.tables.get(name);
  }

  adopt({ table, condition }: Membership): boolean {
    if (condition.fragment === false) return true;
    const known = this.#known(table, condition);
    return known !== undefined && known.arrival === undefined;
  }

  fetch({ table, condition }: Membership): Promise<void> | undefined {
    if (condition.fragment === false) return undefined;
    const { conditions } = this.#copy;
    const now = this.#host.now();
    let known = this.#known(table, condition);
    if (known === undefined) {
      known = conditions.add(table, condition, Promise.withResolvers<void>(), now);
      // Whoever asked may be gone by the time.
      known.arrival?.promise.catch(() => {});
      this.#wanted.push({ condition: known, attempts: 0 });
      void this.#serially(() => this.#load()).catch(() => {});
    }
    known.neededAt = now;
    this.#wakeBy(now + this.#interval);
    if (known.arrival !== undefined) return known.arrival.promise;
    return this.#isFollowing ? undefined : this.#followSoon();
  }

  /** The condition, when its rows are there or on their way. */
  #known(table: Table, condition: Membership["condition"]): MirroredCondition | undefined {
    const { conditions } = this.#copy;
    const key = keyOf(table, condition);
    const known = conditions.get(key);
    if (known !== undefined || this.#hasBegun || !this.#copy.hasKept(key)) return known;
    return conditions.add(table, condition, undefined, this.#host.now());
  }

  watch(): void {
    this.#wakeBy(this.#host.now() + this.#interval);
  }

  doubt(): void {
    this.#isUnsure = true;
    this.watch();
  }

  /** The object itself has changed the database: looks at once, when somebody is subscribed. */
  onWritten(): void {
    if (this.#isFollowing) this.#followSoon().catch(() => {});
  }

  /** Nothing is read or written any more. */
  stop(): void {
    this.#isStopped = true;
  }

  nextExpiry(): number | null {
    return this.#due;
  }

  /** Says when the alarm is to ring again; {@link GlobalMirror.ring} does the rest, outside of the turn. */
  sweep(now: number): number | null {
    return this.#isDue(now) ? now + this.#interval : this.#due;
  }

  #isDue(now: number): boolean {
    return this.#due !== null && this.#due <= now + EARLY;
  }

  #wakeBy(time: number): void {
    if (this.#due !== null && this.#due <= time) return;
    this.#due = time;
    this.#host.wakeAt(time);
  }

  /** Answers the alarm. Never rejects. */
  async ring(): Promise<void> {
    if (!this.#isDue(this.#host.now()) || this.#isStopped) return;
    await this.#serially(() => this.#poll()).catch(() => {});
  }

  /** Runs alone among those that read the database. */
  #serially(run: () => Promise<void>): Promise<void> {
    const result = this.#tail.then(async () => {
      if (!this.#isStopped) await run();
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  #followSoon(): Promise<void> {
    this.#next ??= this.#serially(() => {
      this.#next = undefined;
      return this.#follow();
    });
    return this.#next;
  }

  async #poll(): Promise<void> {
    this.#wanted.push(...this.#late.splice(0));
    try {
      if (this.#isUsed()) await this.#follow();
      else this.#isFollowing = false;
      await this.#load();
      await this.#tidy();
    } catch (error) {
      for (const one of this.#wanted.splice(0)) this.#retryLater(one, error);
    } finally {
      this.#plan();
    }
  }

  /** Whether somebody is subscribed to what has to be followed; notes who needs what. */
  #isUsed(): boolean {
    const { hasQueries, shapes } = this.#host.users();
    const now = this.#host.now();
    let isUsed = hasQueries || this.#wanted.length > 0 || this.#late.length > 0;
    for (const { table, condition } of shapes) {
      const known = this.#copy.conditions.get(keyOf(table, condition));
      if (known === undefined) continue;
      known.neededAt = now;
      isUsed = true;
    }
    return isUsed;
  }

  /** Brings the copies up to date, and tells what has changed. */
  async #follow(): Promise<void> {
    try {
      // What slept comes back in a turn, and finds its copies as long as they are not moved on.
      if (!this.#hasBegun) await this.#host.afterTurns();
      this.#hasBegun = true;
      await this.#copy.forgetOthers();
      const extent = await this.#reader.extent();
      const { cursor } = this.#copy;
      if (cursor === undefined) await this.#begin(extent.head);
      else if (this.#isLost || isLost(extent, cursor)) await this.#startOver(extent.head);
      else if (extent.head !== cursor || this.#isUnsure) await this.#advance();
      this.#failures = 0;
      this.#isFollowing = true;
    } catch (error) {
      if (this.#failures === 0) this.#host.failed(error);
      this.#failures += 1;
      this.#isUnsure = true;
      throw error;
    }
  }

  /** Follows from here, with no copies. */
  async #begin(head: number): Promise<void> {
    this.#copy.cursor = head;
    await this.#tell({ rows: new Map(), tables: new Set(), upTo: head, isWhole: true });
  }

  /** Applies what is new, to the end. Answers whether that was all; else what was missed has been compared. */
  async #advance(): Promise<boolean> {
    for (;;) {
      const changes = await this.#reader.changes(this.#copy.cursor as number, this.#copy.followed);
      if (changes === undefined) {
        await this.#startOver((await this.#reader.extent()).head);
        return false;
      }
      await this.#tell(changes);
      if (changes.isWhole) return true;
    }
  }

  async #tell(changes: Parameters<MirrorCopy["put"]>[0]): Promise<void> {
    const isSure = !this.#isUnsure;
    this.#isUnsure = false;
    const polled = isSure ? changes.tables : new Set(this.#copy.tables.keys());
    const hasRows = [...changes.rows.values()].some((byId) => byId.size > 0);
    try {
      if (hasRows || (polled.size > 0 && this.#host.users().hasQueries))
        await this.#copy.put(changes, polled, !this.#isLost);
      else this.#copy.cursor = changes.upTo;
    } catch (error) {
      this.#isUnsure ||= !isSure;
      throw error;
    }
  }

  /** Changes were missed: every copy is compared with its row, and every condition asked again. */
  async #startOver(head: number): Promise<void> {
    this.#isLost = true;
    this.#isUnsure = true;
    this.#copy.cursor = head;
    for (const [table, ids] of this.#copy.pages()) {
      const byId = new Map<string, Awaited<ReturnType<MirrorReader["rows"]>>[number] | undefined>(
        ids.map((id) => [id, undefined]),
      );
      for (const row of await this.#reader.rows(table, ids)) byId.set(row.id, row);
      await this.#copy.put(
        { rows: new Map([[table, byId]]), tables: new Set(), upTo: head, isWhole: true },
        new Set(),
        false,
      );
    }
    await this.#readAll([...this.#copy.conditions.all].filter(({ arrival }) => arrival === undefined));
    this.#isLost = false;
  }

  /** Copies all rows of the conditions. */
  #readAll(conditions: readonly MirroredCondition[]): Promise<void> {
    return loadConditions(
      {
        reader: this.#reader,
        copy: this.#copy,
        interval: this.#interval,
        now: () => this.#host.now(),
        advance: () => this.#advance(),
      },
      conditions,
    );
  }

  /** Conditions that wait for their rows. What fails is tried again with the next polls, a few times. */
  async #load(): Promise<void> {
    while (this.#wanted.length > 0) {
      const waiting = this.#wanted.splice(0, TOGETHER);
      try {
        if (!this.#isFollowing || this.#failures > 0) await this.#follow();
        await this.#loadTogether(waiting);
      } catch (error) {
        for (const one of waiting) this.#retryLater(one, error);
        return;
      }
    }
  }

  async #loadTogether(waiting: readonly Waiting[]): Promise<void> {
    try {
      await this.#readAll(waiting.map(({ condition }) => condition));
    } catch (error) {
      if (isUnavailable(error) || waiting.length === 1) throw error;
      // One that the database refuses keeps nobody else from theirs.
      for (const one of waiting) {
        try {
          await this.#readAll([one.condition]);
        } catch (own) {
          this.#retryLater(one, own);
          continue;
        }
        arrived(one);
      }
      return;
    }
    waiting.forEach(arrived);
  }

  #retryLater(waiting: Waiting, error: unknown): void {
    const { condition } = waiting;
    const { arrival } = condition;
    if (arrival === undefined) return;
    waiting.attempts += 1;
    if (isUnavailable(error) && waiting.attempts < ATTEMPTS) {
      this.#late.push(waiting);
      return;
    }
    this.#copy.conditions.remove(condition);
    arrival.reject(error);
  }

  /** Lets go of what nobody has needed for a while. */
  async #tidy(): Promise<void> {
    const limit = this.#host.now() - GRACE;
    if (this.#openedAt <= limit) await this.#copy.forgetOthers();
    const old = [...this.#copy.conditions.all].filter(
      ({ arrival, neededAt }) => arrival === undefined && neededAt <= limit,
    );
    if (old.length > 0) await this.#copy.forget(old);
    // Somebody may come back for the others.
    if (this.#copy.hasOthers) return;
    if (this.#copy.hasStrays) await this.#copy.prune();
    if (this.#copy.conditions.size === 0 && !this.#isFollowing) await this.#copy.rest();
  }

  /** When to look again. */
  #plan(): void {
    const isActive = this.#isUsed();
    const now = this.#host.now();
    const pause = Math.max(this.#interval, Math.min(this.#interval * 2 ** this.#failures, LONGEST_PAUSE));
    const times = Array.from(this.#copy.conditions.all, ({ neededAt }) => neededAt + GRACE);
    if (this.#copy.hasOthers) times.push(this.#openedAt + GRACE);
    else if (this.#copy.hasStrays) times.push(now + pause);
    if (isActive) times.push(now + pause);
    this.#due = times.length === 0 ? null : Math.max(now + pause, Math.min(...times));
    if (this.#due !== null) this.#host.wakeAt(this.#due);
  }
}

function arrived({ condition }: Waiting): void {
  condition.arrival?.resolve();
  condition.arrival = undefined;
}

/** Whether it may work out the next time. */
function isUnavailable(error: unknown): boolean {
  return isLunoraError(error) && error.status >= 500;
}
