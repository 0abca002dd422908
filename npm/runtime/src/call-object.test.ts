import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { callObject } from "./call-object.ts";

/** An error as the platform throws it. */
function objectError(properties: { retryable?: boolean; overloaded?: boolean }): Error {
  return Object.assign(new Error("the object was lost"), properties);
}

/** Fails as often as asked; every attempt has to bring a new stub. */
function failing(
  times: number,
  error: Error,
): {
  reach: () => object;
  call: (stub: object) => Promise<string>;
  stubs: Set<object>;
  pauses: number[];
  timers: { sleep(milliseconds: number): Promise<void> };
} {
  const stubs = new Set<object>();
  const pauses: number[] = [];
  return {
    reach: () => ({}),
    call: async (stub) => {
      stubs.add(stub);
      if (stubs.size <= times) throw error;
      return "answer";
    },
    stubs,
    pauses,
    timers: { sleep: async (milliseconds) => void pauses.push(milliseconds) },
  };
}

describe("callObject", () => {
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
  afterEach(() => void vi.restoreAllMocks());

  test("repeats what is safe with a new stub, and waits longer each time", async () => {
    const object = failing(3, objectError({ retryable: true }));
    expect(await callObject(object.reach, object.call, true, object.timers)).toBe("answer");
    expect(object.stubs.size).toBe(4);
    const [first, second, third] = object.pauses as [number, number, number];
    expect(first < second && second < third).toBe(true);
  });

  test("gives up after a few attempts", async () => {
    const object = failing(99, objectError({ retryable: true }));
    await expect(callObject(object.reach, object.call, true, object.timers)).rejects.toMatchObject({
      code: "SHARD_ERROR",
      status: 503,
    });
    expect(object.stubs.size).toBe(4);
  });

  test("does not repeat what might have happened, nor what is not transient", async () => {
    for (const [error, isRepeatable] of [
      [objectError({ retryable: true }), false],
      [objectError({}), true],
      [objectError({ retryable: false }), true],
    ] as const) {
      const object = failing(1, error);
      await expect(callObject(object.reach, object.call, isRepeatable, object.timers)).rejects.toMatchObject({
        code: "SHARD_ERROR",
      });
      expect(object.stubs.size).toBe(1);
    }
  });

  test("tells a full disk, and does not ask it again", async () => {
    for (const properties of [{}, { retryable: true }, { overloaded: true }]) {
      const error = Object.assign(new Error("database or disk is full: SQLITE_FULL"), properties);
      const object = failing(1, error);
      await expect(callObject(object.reach, object.call, true, object.timers)).rejects.toMatchObject({
        code: "STORAGE_FULL",
        status: 507,
      });
      expect(object.stubs.size).toBe(1);
    }
  });

  test("leaves an overloaded object alone", async () => {
    const object = failing(1, objectError({ retryable: true, overloaded: true }));
    await expect(callObject(object.reach, object.call, true, object.timers)).rejects.toMatchObject({
      code: "SHARD_UNAVAILABLE",
    });
    expect(object.stubs.size).toBe(1);
  });
});
