import { statusOf } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import { describe, expect, it } from "vitest";

import { MAX_ENTRY_BYTES, openOutbox, stepOutbox } from "./outbox.ts";
import type { OutboxEffect, OutboxEvent, OutboxState } from "./outbox.ts";

const enqueue = (order: number, bytes = 100): OutboxEvent => ({
  type: "enqueue",
  entry: { order, mutationId: `m${order}`, shard: "s", path: "a:b", args: {}, bytes, at: 0 },
});
const up = (lastMutationId?: number): OutboxEvent => ({ type: "up", lastMutationId });
const flush: OutboxEvent = { type: "flush" };
const sent = (...seqs: number[]): { seq: number; mutationId: string }[] =>
  seqs.map((seq) => ({ seq, mutationId: `m${seq}` }));
const error = (code: string): ErrorBody => ({ code, status: statusOf(code), message: "x" });

function run(...events: OutboxEvent[]): { state: OutboxState; effects: readonly OutboxEffect[] } {
  let state = openOutbox();
  let effects: readonly OutboxEffect[] = [];
  for (const event of events) [state, effects] = stepOutbox(state, event);
  return { state, effects };
}

const pushed = (effects: readonly OutboxEffect[]): number[][] =>
  effects.flatMap((effect) => (effect.type === "push" ? [effect.entries.map(({ seq }) => seq)] : []));
const places = ({ entries }: OutboxState): [string, number][] =>
  entries.map(({ mutationId, seq }) => [mutationId, seq]);
const ends = (effects: readonly OutboxEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === "settle" ? [`${effect.entry.mutationId} ${effect.outcome}`] : []));

describe("an outbox", () => {
  it("numbers from one, keeps everything, and sends in one frame what is queued", () => {
    expect(run(enqueue(1)).effects).toMatchObject([{ type: "store", entries: [{ seq: 1 }] }]);
    expect(pushed(run(enqueue(1), enqueue(2), flush).effects)).toEqual([]);
    expect(pushed(run(enqueue(1), enqueue(2), up(0), flush).effects)).toEqual([[1, 2]]);
    expect(pushed(run(enqueue(1), up(0), flush, enqueue(2), flush).effects)).toEqual([[2]]);
    expect(run(enqueue(1), up(0), flush, flush).effects).toEqual([]);
  });

  it("cuts by 500 entries and by bytes, and says what has arrived", () => {
    const many = Array.from({ length: 1001 }, (_, index) => enqueue(index + 1));
    expect(pushed(run(...many, up(0), flush).effects).map(({ length }) => length)).toEqual([500, 500, 1]);
    const half = MAX_ENTRY_BYTES / 2;
    expect(pushed(run(enqueue(1, half), enqueue(2, half), enqueue(3, half), up(0), flush).effects)).toEqual([
      [1, 2],
      [3],
    ]);
    const later = run(
      enqueue(1),
      up(0),
      flush,
      { type: "ack", sent: sent(1), results: [], lastMutationId: 1 },
      enqueue(2),
      flush,
    );
    expect(later.effects).toMatchObject([{ type: "push", received: 1 }]);
  });

  it("gives an entry another number when the server decided something else under its own", () => {
    const ack: OutboxEvent = {
      type: "ack",
      sent: sent(1, 2, 3),
      results: [
        { clientSeq: 1, result: null },
        { clientSeq: 2, error: error("OUT_OF_ORDER") },
        { clientSeq: 3, error: error("OUT_OF_ORDER") },
      ],
      lastMutationId: 2,
    };
    const { state, effects } = run(enqueue(1), enqueue(2), enqueue(3), up(1), flush, ack);
    expect(ends(effects)).toEqual(["m1 succeeded"]);
    expect(places(state)).toEqual([
      ["m2", 3],
      ["m3", 4],
    ]);
    const [stored] = stepOutbox(state, { type: "stored" });
    expect(pushed(stepOutbox(stored, flush)[1])).toEqual([[3, 4]]);
  });

  it("sends everything undecided again after a connection was lost, also what the server has decided", () => {
    expect(pushed(run(enqueue(1), enqueue(2), up(0), flush, { type: "down" }, up(1), flush).effects)).toEqual([[1, 2]]);
  });

  it("settles each by its result, by its error, and without either by the watermark", () => {
    const results = [
      { clientSeq: 1, result: 5 },
      { clientSeq: 2, error: error("CONFLICT") },
    ];
    const { state, effects } = run(enqueue(1), enqueue(2), enqueue(3), up(0), flush, {
      type: "ack",
      sent: sent(1, 2, 3),
      results,
      lastMutationId: 3,
    });
    expect(ends(effects)).toEqual(["m1 succeeded", "m2 rejected", "m3 succeeded"]);
    expect(state.entries).toEqual([]);
    expect(state.nextSeq).toBe(4);
  });

  it("follows a server that stands further back, and sends when that is stored", () => {
    const restored = run(enqueue(1), enqueue(2), up(0), { type: "down" }, up(7));
    expect(restored.state.nextSeq).toBe(8);
    const behind = [
      enqueue(1),
      enqueue(2),
      up(0),
      flush,
      { type: "ack", sent: sent(1), results: [], lastMutationId: 1 },
      { type: "down" },
      up(0),
    ] as const;
    const { state, effects } = run(...behind);
    expect(places(state)).toEqual([["m2", 1]]);
    expect(effects.map(({ type }) => type)).toEqual(["store", "storing"]);
    expect(pushed(run(...behind, flush).effects)).toEqual([]);
    expect(pushed(run(...behind, { type: "stored" }, flush).effects)).toEqual([[1]]);
  });

  it("does not renumber what the server may have run", () => {
    expect(places(run(enqueue(1), enqueue(2), up(0), flush, { type: "down" }, up(1)).state)).toEqual([
      ["m1", 1],
      ["m2", 2],
    ]);
  });

  it("renumbers on OUT_OF_ORDER, ignores the same verdict on the old numbers, and gives up after three", () => {
    const gap = (...seqs: number[]): OutboxEvent => ({
      type: "ack",
      sent: seqs.map((seq) => ({ seq, mutationId: `m${seq}` })),
      results: seqs.map((clientSeq) => ({ clientSeq, error: error("OUT_OF_ORDER") })),
      lastMutationId: 0,
    });
    const first = [enqueue(1), up(0), { type: "ack", sent: sent(1), results: [], lastMutationId: 1 }] as const;
    const events: OutboxEvent[] = [...first, enqueue(2), flush, enqueue(3), flush, gap(2)];
    expect(places(run(...events).state)).toEqual([
      ["m2", 1],
      ["m3", 2],
    ]);
    expect(places(run(...events, gap(3)).state)).toEqual([
      ["m2", 1],
      ["m3", 2],
    ]);
    const again: OutboxEvent = {
      type: "ack",
      sent: [{ seq: 1, mutationId: "m2" }],
      results: [{ clientSeq: 1, error: error("OUT_OF_ORDER") }],
      lastMutationId: 0,
    };
    expect(run(...events, again, again, again).effects).toEqual([{ type: "drop" }]);
  });

  it.each(["SHARD_UNAVAILABLE", "STORAGE_FULL", "RATE_LIMITED"])(
    "keeps what %s is said of, and connects again",
    (code) => {
      const results = [{ clientSeq: 1, error: error(code) }];
      const { state, effects } = run(enqueue(1), up(0), flush, {
        type: "ack",
        sent: sent(1),
        results,
        lastMutationId: 0,
      });
      expect(places(state)).toEqual([["m1", 1]]);
      expect(effects).toEqual([{ type: "drop" }]);
    },
  );

  it("closes the gap of what was refused without being counted", () => {
    const results = [
      { clientSeq: 1, error: error("BAD_REQUEST") },
      { clientSeq: 2, error: error("OUT_OF_ORDER") },
    ];
    const { state, effects } = run(enqueue(1), enqueue(2), up(0), flush, {
      type: "ack",
      sent: sent(1, 2),
      results,
      lastMutationId: 0,
    });
    expect(ends(effects)).toEqual(["m1 rejected"]);
    expect(places(state)).toEqual([["m2", 1]]);
  });

  it("forgets what is aborted before it was sent, and nothing else", () => {
    const unsent = run(enqueue(1), enqueue(2), enqueue(3), { type: "abort", mutationId: "m2" });
    expect(places(unsent.state)).toEqual([
      ["m1", 1],
      ["m3", 2],
    ]);
    expect(unsent.state.nextSeq).toBe(3);
    expect(ends(unsent.effects)).toEqual(["m2 aborted"]);
    expect(unsent.state.storing).toBe(1);
    const lost = run(enqueue(1), up(0), flush, { type: "down" }, { type: "abort", mutationId: "m1" });
    expect(places(lost.state)).toEqual([["m1", 1]]);
  });
});
