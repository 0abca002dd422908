import { expect, it } from "vitest";

import { CallState } from "./call-state.ts";

const refusal = new Error("refused");

it("is pending from the first call to the last answer, and tells each change once", async () => {
  const state = new CallState<string>();
  const seen: unknown[] = [];
  state.subscribe(() => seen.push(state.getSnapshot()));
  const one = withResolvers();
  const two = withResolvers();
  state.follow(one.promise);
  state.follow(two.promise);
  two.resolve("two");
  await two.promise;
  one.resolve("one");
  await one.promise;
  expect(seen).toEqual([
    { pending: true, data: undefined, error: undefined },
    { pending: true, data: "two", error: undefined },
    { pending: false, data: "two", error: undefined },
  ]);
});

it("keeps the newest call's error until the next call or a reset", async () => {
  const state = new CallState<string>();
  state.follow(Promise.reject(refusal));
  await Promise.resolve();
  expect(state.getSnapshot()).toEqual({ pending: false, data: undefined, error: refusal });
  state.reset();
  expect(state.getSnapshot()).toEqual({ pending: false, data: undefined, error: undefined });
  const late = withResolvers();
  state.follow(late.promise);
  state.reset();
  expect(state.getSnapshot()).toMatchObject({ pending: true });
  late.resolve("late");
  await late.promise;
  expect(state.getSnapshot()).toEqual({ pending: false, data: undefined, error: undefined });
});

function withResolvers(): { readonly promise: Promise<string>; readonly resolve: (value: string) => void } {
  let resolve: (value: string) => void = () => {};
  const promise = new Promise<string>((settle) => (resolve = settle));
  return { promise, resolve };
}
