import { LunoraError } from "@lunora/errors";

/** What frames that wait may take, in characters: of one socket, and of all together. */
const PENDING_LENGTH = 16_000_000;
const PENDING_TOTAL = 48_000_000;

/** What waits takes this besides its text, in characters, for each place in the queue. */
const PLACE_LENGTH = 500;

/** Whose frames wait. */
export interface Waiter {
  /** What its frames that wait may take, in characters. */
  pending: number;
}

/** The room that frames have until it is their turn. */
export class WaitingRoom {
  #pending = 0;

  /** Takes room for a frame of so many characters, and so many places in the queue; answers how much. Throws `RATE_LIMITED`. */
  hold(waiter: Waiter, length: number, places: number): number {
    const held = length + places * PLACE_LENGTH;
    if (waiter.pending + held > PENDING_LENGTH || this.#pending + held > PENDING_TOTAL)
      throw new LunoraError("RATE_LIMITED", "too many frames wait here already; nothing of this one was done");
    waiter.pending += held;
    this.#pending += held;
    return held;
  }

  release(waiter: Waiter, held: number): void {
    waiter.pending -= held;
    this.#pending -= held;
  }
}
