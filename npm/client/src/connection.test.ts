import { CLOSE_CODES } from "@lunora/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { checkProperty } from "../../test-seed.ts";
import {
  IDLE_GRACE_MS,
  INITIAL_CONNECTION,
  OPEN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  PONG_TIMEOUT_MS,
  STABLE_MS,
  statusOfConnection,
  stepConnection,
} from "./connection.ts";
import type { ConnectionEffect, ConnectionEvent, ConnectionState } from "./connection.ts";

const need: ConnectionEvent = { type: "need", isNeeded: true };
const unneeded: ConnectionEvent = { type: "need", isNeeded: false };
const greeted: ConnectionEvent = { type: "greeted" };
const fire: ConnectionEvent = { type: "alarm" };
const closed = (code: number, canRenew = true): ConnectionEvent => ({ type: "closed", code, canRenew });

/** The state after the events, and the effects of the last one. */
function after(...events: ConnectionEvent[]): { state: ConnectionState; effects: readonly ConnectionEffect[] } {
  let state = INITIAL_CONNECTION;
  let effects: readonly ConnectionEffect[] = [];
  for (const event of events) [state, effects] = stepConnection(state, event, 1);
  return { state, effects };
}

const delayOf = (effects: readonly ConnectionEffect[]): number | undefined =>
  effects.findLast((effect) => effect.type === "alarm")?.["ms" as never];
const types = (effects: readonly ConnectionEffect[]): string[] => effects.map(({ type }) => type);

describe("a connection", () => {
  it("opens when it is needed, and pings once it is greeted", () => {
    const opening = after(need);
    expect(types(opening.effects)).toContain("open");
    expect(delayOf(opening.effects)).toBe(OPEN_TIMEOUT_MS);
    expect(statusOfConnection(opening.state)).toBe("connecting");
    const open = after(need, greeted);
    expect(statusOfConnection(open.state)).toBe("connected");
    expect(delayOf(open.effects)).toBe(PING_INTERVAL_MS);
    const pinged = after(need, greeted, fire);
    expect(types(pinged.effects)).toContain("ping");
    expect(delayOf(pinged.effects)).toBe(PONG_TIMEOUT_MS);
  });

  it("is dead when a ping is not answered by anything, or when it is not greeted in time", () => {
    for (const events of [
      [need, greeted, fire, fire],
      [need, fire],
    ]) {
      const { state, effects } = after(...events);
      expect(types(effects)).toEqual(["alarm", "close", "down"]);
      expect(state).toMatchObject({ phase: "waiting", attempt: 1 });
    }
    expect(after(need, greeted, fire, { type: "received" }, fire).state.phase).toBe("connected");
  });

  it("waits longer after each loss, 250 ms to 30 s, and starts anew after a stable connection", () => {
    const events: ConnectionEvent[] = [need];
    const delays: (number | undefined)[] = [];
    for (let loss = 0; loss < 10; loss++) {
      events.push(closed(1006));
      const { effects, state } = after(...events);
      expect(statusOfConnection(state)).toBe("offline");
      delays.push(Math.round(delayOf(effects) ?? -1));
      events.push(fire);
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    const unstable = after(...events, greeted);
    expect(delayOf(unstable.effects)).toBe(STABLE_MS);
    expect(after(...events, greeted, fire).state.attempt).toBe(0);
    expect(after(...events, greeted, closed(1006)).state.attempt).toBe(11);
  });

  it("follows a reload at once, but not for ever", () => {
    const events: ConnectionEvent[] = [need, greeted];
    const delays: (number | undefined)[] = [];
    for (let reload = 0; reload < 5; reload++) {
      events.push(closed(CLOSE_CODES.reload));
      delays.push(delayOf(after(...events).effects));
      events.push(fire, greeted);
    }
    expect(delays.slice(0, 3)).toEqual([0, 0, 0]);
    expect(delays[3]).toBeGreaterThan(1000);
  });

  it("asks for another token after 4001, and gives up where there is none", () => {
    expect(delayOf(after(need, greeted, closed(CLOSE_CODES.tokenExpired)).effects)).toBe(0);
    expect(after(need, greeted, closed(CLOSE_CODES.tokenExpired, false)).state.phase).toBe("refused");
  });

  it.each([CLOSE_CODES.identityInvalid, CLOSE_CODES.forbidden])("does not come back after %i, until reset", (code) => {
    const { state, effects } = after(need, greeted, closed(code));
    expect(types(effects)).toEqual(["alarm", "close", "down", "refused"]);
    expect(statusOfConnection(state)).toBe("offline");
    for (const event of [need, unneeded, fire, closed(1006), { type: "network", isOnline: true } as const])
      expect(after(need, greeted, closed(code), event).state.phase).toBe("refused");
    const reset = after(need, greeted, closed(code), { type: "reset" });
    expect(reset.state).toMatchObject({ phase: "connecting", attempt: 0 });
    expect(types(reset.effects)).toContain("open");
  });

  it("tries at once when the device comes online, and doubts an open socket when anything changes", () => {
    expect(after(need, closed(1006), { type: "network", isOnline: true }).state.phase).toBe("connecting");
    expect(after(need, closed(1006), { type: "network", isOnline: false }).state.phase).toBe("waiting");
    expect(types(after(need, greeted, { type: "network", isOnline: false }).effects)).toContain("ping");
  });

  it("stays for a while when nobody needs it, then goes", () => {
    const idle: ConnectionEvent = { type: "idle" };
    expect(after(need, greeted, unneeded).effects).toEqual([{ type: "idle", ms: IDLE_GRACE_MS }]);
    expect(after(need, greeted, unneeded, idle).state.phase).toBe("idle");
    expect(after(need, greeted, unneeded, need, idle).state.phase).toBe("connected");
    expect(after(need, greeted, unneeded, closed(1006)).state.phase).toBe("idle");
  });

  it("never has two sockets, never stands still while it is needed", () => {
    const events = fc.oneof(
      fc.constantFrom<ConnectionEvent>(need, unneeded, greeted, fire, { type: "idle" }),
      fc.constantFrom<ConnectionEvent>({ type: "received" }, { type: "drop" }, { type: "reset" }),
      fc.boolean().map((isOnline): ConnectionEvent => ({ type: "network", isOnline })),
      fc
        .tuple(fc.constantFrom(1006, 1012, 1013, 4001, 4401, 4403), fc.boolean())
        .map(([code, can]) => closed(code, can)),
    );
    checkProperty(
      fc.property(fc.array(events, { maxLength: 40 }), (steps) => {
        let state = INITIAL_CONNECTION;
        let hasSocket = false;
        let hasTimer = false;
        for (const event of steps) {
          // The host tells what can happen only.
          if ((event.type === "closed" || event.type === "greeted") && !hasSocket) continue;
          if (event.type === "alarm" && !hasTimer) continue;
          if (event.type === "closed") hasSocket = false;
          if (event.type === "alarm") hasTimer = false;
          const [next, effects] = stepConnection(state, event, 0.5);
          for (const effect of effects) {
            if (effect.type === "open") {
              expect(hasSocket).toBe(false);
              hasSocket = true;
            }
            if (effect.type === "close") hasSocket = false;
            if (effect.type === "alarm") hasTimer = effect.ms !== undefined;
          }
          state = next;
          expect(hasSocket).toBe(state.phase === "connecting" || state.phase === "connected");
          expect(hasTimer).toBe(state.phase !== "idle" && state.phase !== "refused");
          if (state.isNeeded) expect(state.phase).not.toBe("idle");
        }
      }),
    );
  });
});
