import { describe, expect, it } from "vitest";

import { pageDeltas } from "./page-deltas.ts";
import { restored } from "./query-cache.ts";
import { INITIAL_QUERY, stepQuery } from "./query-state.ts";
import type { QueryState } from "./query-state.ts";
import type { ChannelEvent } from "./extension.ts";

const data = (value: unknown, cursor = 1, lastMutationId = 0): ChannelEvent => ({
  type: "frame",
  lastMutationId,
  frame: {
    type: "data",
    id: "s",
    data: value,
    cursor,
    epoch: "e",
    version: `v${cursor}`,
  },
});
const delta = (key: string, cursor?: number): ChannelEvent => ({
  type: "frame",
  lastMutationId: 0,
  frame: {
    type: "delta",
    id: "s",
    delta: { op: "insert", key, table: "t", value: { _id: key } },
    ...(cursor === undefined ? {} : { cursor, epoch: "e", version: `v${cursor}` }),
  },
});
const settled = (cursor: number, id?: string): ChannelEvent => ({
  type: "frame",
  frame: { type: "settled", cursor, epoch: "e", ...(id === undefined ? {} : { id }) },
  lastMutationId: 9,
});

function run(...events: ChannelEvent[]): QueryState {
  let state = INITIAL_QUERY;
  for (const event of events) [state] = stepQuery(state, event, pageDeltas);
  return state;
}

describe("a query", () => {
  it("has the last result, where it stands and its name", () => {
    expect(run(data({ n: ["$lunora.wire$", "bigint", "5"] }, 4, 2))).toMatchObject({
      status: "live",
      base: { data: { n: 5n } },
      cursor: 4,
      epoch: "e",
      version: "v4",
      lastMutationId: 2,
    });
    expect(run(data(undefined)).base).toEqual({ data: undefined });
  });

  it("takes a run of deltas with its last one", () => {
    const rows = [{ _id: "a" }];
    expect(run(data(rows), delta("b")).base).toEqual({ data: rows });
    expect(run(data(rows), delta("b"), delta("c", 3))).toMatchObject({
      base: { data: [{ _id: "a" }, { _id: "b" }, { _id: "c" }] },
      cursor: 3,
      version: "v3",
    });
    expect(run(data(rows), delta("b"), { type: "down" }, delta("c", 3)).base).toEqual({ data: rows });
  });

  it("reads afresh when deltas do not fit, and keeps showing what it has as stale", () => {
    const [state, effects] = stepQuery(run(data([{ _id: "a" }])), delta("a", 3), pageDeltas);
    expect(effects).toEqual(["restart"]);
    expect(state).toMatchObject({ status: "stale", base: { data: [{ _id: "a" }] }, cursor: undefined, strikes: 1 });
    expect(stepQuery(run(data(5)), delta("a", 3), pageDeltas)[1]).toEqual(["restart"]);
    expect(run(data([{ _id: "a" }]), delta("a", 3), data([]), delta("b", 4)).strikes).toBe(0);
  });

  it.each([
    ["a result", data([{ _id: "b" }], 3)],
    ["a change", delta("b", 3)],
    ["news of nothing", settled(3)],
  ])("reads afresh when %s comes that something newer came before", (_, late) => {
    const newer = run(data([{ _id: "a" }], 4));
    const [state, effects] = stepQuery(newer, late, pageDeltas);
    expect(effects).toEqual(["restart"]);
    expect(state).toMatchObject({ status: "stale", base: { data: [{ _id: "a" }] }, strikes: 1 });
    expect(state.cursor).toBeUndefined();
    // Of another timeline nothing is older.
    expect(stepQuery({ ...newer, epoch: "e0" }, late, pageDeltas)[1]).not.toContain("restart");
  });

  it("is stale without a connection, and live again when nothing changed", () => {
    const down = run(data(1), { type: "down" });
    expect(down.status).toBe("stale");
    const [live] = stepQuery(down, {
      type: "frame",
      frame: { type: "resume", id: "s", cursor: 7, epoch: "e" },
      lastMutationId: 3,
    });
    expect(live).toMatchObject({ status: "live", cursor: 7, lastMutationId: 3, version: "v1" });
  });

  it("moves on with the whole socket only while it is up to date", () => {
    expect(run(data(1), settled(8))).toMatchObject({ cursor: 8, lastMutationId: 9 });
    expect(run(data(1), { type: "down" }, settled(8))).toMatchObject({ cursor: 1, status: "stale" });
    expect(run(settled(8))).toEqual(INITIAL_QUERY);
  });

  it("shows a stored result as stale", () => {
    const stored = { value: ["$lunora.wire$", "bigint", "1"], cursor: 2, epoch: "e", version: "v" };
    expect(restored(INITIAL_QUERY, stored)).toMatchObject({ status: "stale", base: { data: 1n }, cursor: 2 });
    const failed = run({ type: "failed", error: new Error("x") as never });
    expect(restored(failed, stored)).toMatchObject({ status: "error", base: { data: 1n } });
  });

  it("cannot be resumed after an error, and heals with the next result", () => {
    const failed = run(data(1), { type: "failed", error: new Error("x") as never });
    expect(failed).toMatchObject({ status: "error", cursor: undefined, base: { data: 1 } });
    expect(stepQuery(failed, data(2))[0]).toMatchObject({ status: "live" });
    expect(stepQuery(failed, data(2))[0].error).toBeUndefined();
  });

  it("forgets which mutations it has seen when the server's timeline is another", () => {
    expect(run(data(1, 1, 5), { type: "greeted", epoch: "e" }).lastMutationId).toBe(5);
    expect(run(data(1, 1, 5), { type: "greeted", epoch: "e2" }).lastMutationId).toBe(0);
  });
});
