import { describe, expect, inject, test } from "vitest";

import { Random } from "../../testing/random.ts";
import { Room } from "./room.ts";
import type { EmptySeat, Seat } from "./room.ts";

const SEED = inject("seed");
const GRACE = 100;

interface Page {
  readonly socket: number;
  readonly memberId: string;
  readonly key: string;
}

/** A room, its pages, a clock, and somebody who keeps a list from what is told. */
class World {
  readonly random: Random;
  now = 0;
  #names = 0;
  room = new Room<number>(GRACE, () => `name ${(this.#names += 1)}`);
  #sockets = 0;
  pages: Page[] = [];
  lost: Page[] = [];
  heard = new Map<string, unknown>();
  /** Who was told to have left, and never is again. */
  left = new Set<string>();

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  come(): void {
    const socket = (this.#sockets += 1);
    const back = this.random.chance(0.5) && this.lost.length > 0 ? this.random.pick(this.lost) : undefined;
    const { seat } = this.room.join(
      socket,
      { userId: null, data: this.now, ...(back === undefined ? {} : { resume: back }) },
      this.now,
    );
    this.lost = this.lost.filter(({ memberId }) => memberId !== seat.memberId);
    this.pages.push({ socket, memberId: seat.memberId, key: seat.key });
  }

  go(isForGood: boolean): void {
    if (this.pages.length === 0) return;
    const page = this.random.pick(this.pages);
    this.pages = this.pages.filter((other) => other !== page);
    if (isForGood) this.room.leave(page.socket);
    else {
      this.room.lose(page.socket, this.now);
      this.lost.push(page);
    }
  }

  tell(): void {
    if (!this.room.hasNews) return;
    const frame = this.room.takeNews();
    if (frame.type !== "presence") throw new Error(frame.type);
    for (const { memberId, data } of frame.joined ?? []) {
      if (this.left.has(memberId)) throw new Error(`${memberId} had left`);
      this.heard.set(memberId, data);
    }
    for (const { memberId, data } of frame.updated ?? []) {
      if (!this.heard.has(memberId)) throw new Error(`nobody knows ${memberId}`);
      this.heard.set(memberId, data);
    }
    for (const memberId of frame.left ?? []) {
      this.heard.delete(memberId);
      this.left.add(memberId);
    }
  }

  /** The object sleeps, which it does when nothing is left to be told. */
  sleep(): void {
    this.tell();
    const seated = this.pages.map(({ socket }) => [socket, this.room.seatOf(socket) as Seat] as const);
    const known = new Map(this.room.members.map((member) => [member.memberId, member]));
    const empty = this.lost.flatMap(({ memberId, key }): EmptySeat[] => {
      const member = known.get(memberId);
      return member === undefined ? [] : [{ ...member, key, until: this.now + GRACE }];
    });
    const next = new Room<number>(GRACE, () => `name ${(this.#names += 1)}`);
    next.restore(seated, empty);
    this.room = next;
  }

  step(): void {
    this.now += this.random.below(20);
    const choice = this.random.below(12);
    if (choice < 3) this.come();
    else if (choice < 5) this.go(true);
    else if (choice < 7) this.go(false);
    else if (choice < 9 && this.pages.length > 0) this.room.update(this.random.pick(this.pages).socket, this.now);
    else if (choice === 9) this.tell();
    else if (choice === 10) this.sleep();
    else for (const id of this.room.expire(this.now)) this.lost = this.lost.filter(({ memberId }) => memberId !== id);
  }
}

describe("a room", () => {
  test("whoever listens knows who is there and what they say, however it comes", () => {
    for (let round = 0; round < 300; round += 1) {
      const world = new World(SEED + round);
      for (let count = 0; count < 150; count += 1) {
        world.step();
        for (const { memberId } of world.pages)
          expect(
            world.room.members.some((member) => member.memberId === memberId),
            `seed ${SEED + round}`,
          ).toBe(true);
      }
      world.tell();
      const there = world.room.members.map(({ memberId, data }) => [memberId, data] as const);
      expect(new Map(there), `seed ${SEED + round}`).toEqual(world.heard);
      world.now += GRACE * 2;
      world.room.expire(world.now);
      expect(world.room.size, `seed ${SEED + round}`).toBe(world.pages.length);
      expect(world.room.nextExpiry).toBeNull();
    }
  });

  const join = (room: Room<number>, socket: number, resume?: { memberId: string; key: string }): Seat =>
    room.join(socket, { userId: "u", data: 1, resume }, 0).seat;
  const names = (): (() => string) => {
    let count = 0;
    return () => `n${(count += 1)}`;
  };

  test("somebody who comes and goes between two tellings is told to have left only", () => {
    const room = new Room<number>(GRACE, names());
    const { memberId } = join(room, 1);
    room.update(1, 2);
    room.leave(1);
    expect(room.takeNews()).toEqual({ type: "presence", left: [memberId] });
    expect(room.hasNews).toBe(false);
  });

  test("a change in the time of grace is told, coming back without one is not", () => {
    const room = new Room<number>(GRACE, names());
    const seat = join(room, 1);
    room.takeNews();
    room.lose(1, 0);
    join(room, 2, seat);
    expect(room.hasNews).toBe(false);
    room.lose(2, 0);
    room.join(3, { userId: "u", data: 2, resume: seat }, 0);
    expect(room.takeNews()).toEqual({ type: "presence", updated: [{ memberId: seat.memberId, data: 2 }] });
  });

  test.each([
    ["another key", { key: "guess" }, "u"],
    ["another user", {}, "v"],
    ["a member that is not there", { memberId: "none" }, "u"],
  ])("%s does not bring back", (_, change, userId) => {
    const room = new Room<number>(GRACE, names());
    const seat = join(room, 1);
    room.lose(1, 0);
    const entrance = room.join(2, { userId, data: 1, resume: { ...seat, ...change } }, 0);
    expect(entrance.seat.memberId).not.toBe(seat.memberId);
  });

  test("an update is spent before it is looked at, and earned again with time", () => {
    const room = new Room<number>(GRACE, names());
    join(room, 1);
    let spent = 0;
    const spend = (now: number): void => {
      for (;;) {
        room.spend(1, now);
        spent += 1;
      }
    };
    expect(() => spend(0)).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
    expect(spent).toBe(20);
    expect(() => spend(500)).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
    expect(spent).toBe(30);
    expect(() => room.spend(9, 0)).toThrow(expect.objectContaining({ code: "FRAME_OUT_OF_STATE" }));
  });
});
