import { LunoraError } from "@lunora/errors";
import { ROOM_MEMBERS, UPDATE_BURST, UPDATES_PER_SECOND } from "@lunora/protocol";
import type { PresenceMember, PresenceServerFrame } from "@lunora/protocol";

import { spend } from "../engine/allowance.ts";
import type { Allowance } from "../engine/allowance.ts";
import { PendingChanges } from "./pending-changes.ts";

/** A member and what only the room knows of it. */
export interface Seat extends PresenceMember {
  /** Proves, after the connection broke, to be the member. */
  readonly key: string;
}

/** A seat whose connection broke. */
export interface EmptySeat extends Seat {
  /** Until when it is kept, epoch milliseconds. */
  readonly until: number;
}

/** Who wants in. */
export interface Entrant {
  readonly userId: string | null;
  /** Validated, wire-encoded. */
  readonly data: unknown;
  readonly resume?: { readonly memberId: string; readonly key: string } | undefined;
}

/** How an entrance ended. */
export interface Entrance<Socket> {
  readonly seat: Seat;
  /** Connections that the member had before, and that have not been seen to break. */
  readonly replaced: readonly Socket[];
}

/**
 * Who is in a room. `Socket` is whatever connections are to the caller. Decides and does nothing:
 * what it says has to be told and kept is the caller's business.
 */
export class Room<Socket> {
  readonly #graceMs: number;
  readonly #newName: () => string;
  readonly #members = new Map<string, Seat>();
  readonly #sockets = new Map<Socket, string>();
  readonly #empty = new Map<string, EmptySeat>();
  readonly #allowances = new Map<Socket, Allowance>();
  readonly #pending = new PendingChanges();

  /** `graceMs`: how long a seat waits for its connection to come back. `newName`: one that cannot be guessed. */
  constructor(graceMs: number, newName: () => string) {
    this.#graceMs = graceMs;
    this.#newName = newName;
  }

  /** After sleep: who sat there, and whose connection had broken. Nobody is told. */
  restore(seated: Iterable<readonly [Socket, Seat]>, empty: Iterable<EmptySeat>): void {
    for (const seat of empty) {
      this.#members.set(seat.memberId, seat);
      this.#empty.set(seat.memberId, seat);
    }
    for (const [socket, seat] of seated) {
      this.#members.set(seat.memberId, seat);
      this.#sockets.set(socket, seat.memberId);
      this.#empty.delete(seat.memberId);
    }
  }

  get size(): number {
    return this.#members.size;
  }

  get hasNews(): boolean {
    return !this.#pending.isEmpty;
  }

  get members(): readonly PresenceMember[] {
    return Array.from(this.#members.values(), publicPart);
  }

  /** Those who are told what changes. */
  get sockets(): Iterable<Socket> {
    return this.#sockets.keys();
  }

  seatOf(socket: Socket): Seat | undefined {
    const memberId = this.#sockets.get(socket);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  /** Throws `FRAME_OUT_OF_STATE` and `ROOM_FULL`. */
  join(socket: Socket, { userId, data, resume }: Entrant, now: number): Entrance<Socket> {
    if (this.#sockets.has(socket)) throw new LunoraError("FRAME_OUT_OF_STATE", "`join` comes once");
    const before = resume === undefined ? undefined : this.#members.get(resume.memberId);
    if (before !== undefined && resume?.key === before.key && before.userId === userId)
      return this.#back(socket, before, data);
    if (this.#members.size >= ROOM_MEMBERS)
      throw new LunoraError("ROOM_FULL", `a room has at most ${ROOM_MEMBERS} members`, {
        data: { limit: ROOM_MEMBERS },
      });
    const seat: Seat = { memberId: this.#newName(), userId, data, joinedAt: now, key: this.#newName() };
    this.#members.set(seat.memberId, seat);
    this.#sockets.set(socket, seat.memberId);
    this.#pending.join(seat.memberId);
    return { seat, replaced: [] };
  }

  #back(socket: Socket, before: Seat, data: unknown): Entrance<Socket> {
    const replaced = [...this.#sockets].filter(([, id]) => id === before.memberId).map(([other]) => other);
    for (const other of replaced) this.#forget(other);
    this.#empty.delete(before.memberId);
    this.#sockets.set(socket, before.memberId);
    return { seat: this.#setData(before, data), replaced };
  }

  #setData({ memberId, userId, joinedAt, key, data: before }: Seat, data: unknown): Seat {
    const seat: Seat = { memberId, userId, data, joinedAt, key };
    this.#members.set(memberId, seat);
    if (JSON.stringify(before) !== JSON.stringify(data)) this.#pending.update(memberId);
    return seat;
  }

  /** Throws `FRAME_OUT_OF_STATE`. */
  update(socket: Socket, data: unknown): Seat {
    return this.#setData(this.#seated(socket, "update"), data);
  }

  /** Takes one from what the socket may say. Throws `FRAME_OUT_OF_STATE` and `RATE_LIMITED`. */
  spend(socket: Socket, now: number): void {
    this.#seated(socket, "update");
    const allowance = spend(this.#allowances.get(socket), now, UPDATE_BURST, UPDATES_PER_SECOND);
    if (allowance === undefined)
      throw new LunoraError("RATE_LIMITED", `a member may say something ${UPDATES_PER_SECOND} times a second`, {
        data: { perSecond: UPDATES_PER_SECOND },
      });
    this.#allowances.set(socket, allowance);
  }

  #seated(socket: Socket, what: string): Seat {
    const seat = this.seatOf(socket);
    if (seat === undefined) throw new LunoraError("FRAME_OUT_OF_STATE", `\`${what}\` came before \`join\``);
    return seat;
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#allowances.delete(socket);
  }

  /** Gone for good; answers who. */
  leave(socket: Socket): Seat | undefined {
    const seat = this.seatOf(socket);
    this.#forget(socket);
    if (seat !== undefined) this.#remove(seat.memberId);
    return seat;
  }

  #remove(memberId: string): void {
    this.#members.delete(memberId);
    this.#empty.delete(memberId);
    this.#pending.leave(memberId);
  }

  /** The connection broke; answers the seat that has to be kept. Nobody is told yet. */
  lose(socket: Socket, now: number): EmptySeat | undefined {
    const seat = this.seatOf(socket);
    this.#forget(socket);
    if (seat === undefined) return undefined;
    const empty: EmptySeat = { ...seat, until: now + this.#graceMs };
    this.#empty.set(seat.memberId, empty);
    return empty;
  }

  /** Seats that were kept for long enough are given up; answers their members' ids. */
  expire(now: number): readonly string[] {
    const over = [...this.#empty.values()].filter(({ until }) => until <= now).map(({ memberId }) => memberId);
    for (const memberId of over) this.#remove(memberId);
    return over;
  }

  /** When the next empty seat is given up; `null` when there is none. */
  get nextExpiry(): number | null {
    let next: number | null = null;
    for (const { until } of this.#empty.values()) if (next === null || until < next) next = until;
    return next;
  }

  /** What changed since the last time, as everybody is told. */
  takeNews(): PresenceServerFrame {
    return this.#pending.take(new Map(Array.from(this.#members, ([id, seat]) => [id, publicPart(seat)])));
  }
}

/** What others may know. */
function publicPart({ memberId, userId, data, joinedAt }: Seat): PresenceMember {
  return { memberId, userId, data, joinedAt };
}
