import type { PokePartFrame, ServerFrame } from "@lunora/protocol";
import { describe, expect, it } from "vitest";

import { INITIAL_SHAPE, stepShape } from "./shape-state.ts";
import type { ShapeEffect, ShapeState } from "./shape-state.ts";

const insert = (key: string, n = 0) => ({ op: "insert" as const, key, table: "t", value: { _id: key, n } });
const part = (fields: Partial<PokePartFrame>): PokePartFrame => ({
  type: "pokePart",
  pokeId: "p",
  shapeId: "s",
  rowsPatch: [],
  ...fields,
});
const poke = (checkpoint: number, parts: Partial<PokePartFrame>[], epoch = "e"): ServerFrame[] => [
  { type: "pokeStart", pokeId: "p", epoch },
  ...parts.map(part),
  { type: "pokeEnd", pokeId: "p", checkpoint, epoch },
];
/** What frames make of a shape, and the effects of the last one. */
function take(before: ShapeState, frames: readonly ServerFrame[]): [ShapeState, readonly ShapeEffect[]] {
  let state = before;
  let effects: readonly ShapeEffect[] = [];
  for (const frame of frames) [state, effects] = stepShape(state, { type: "frame", frame, lastMutationId: 0 });
  return [state, effects];
}
const seeded = take(INITIAL_SHAPE, poke(3, [{ reset: true, rowsPatch: [insert("a")], version: "v" }]))[0];

describe("a shape", () => {
  it("is what its parts say together", () => {
    const [state, effects] = take(
      INITIAL_SHAPE,
      poke(3, [{ reset: true, rowsPatch: [insert("a")] }, { rowsPatch: [insert("b")] }]),
    );
    expect([...state.rows.keys()]).toEqual(["a", "b"]);
    expect(state).toMatchObject({ status: "live", checkpoint: 3, epoch: "e" });
    expect(effects).toMatchObject([{ isReset: true, changes: [{ id: "a" }, { id: "b" }] }]);
  });

  it("takes changes from where it stands, and leaves the rows before as they were", () => {
    const [state] = take(
      seeded,
      poke(5, [
        { baseCheckpoint: 3, rowsPatch: [{ op: "delete", key: "a", table: "t" }, insert("b")], lastMutationId: 2 },
      ]),
    );
    expect([...state.rows.keys()]).toEqual(["b"]);
    expect([...seeded.rows.keys()]).toEqual(["a"]);
    expect(state).toMatchObject({ checkpoint: 5, lastMutationId: 2, version: "v" });
  });

  it.each([
    ["another checkpoint", poke(5, [{ baseCheckpoint: 4, rowsPatch: [insert("b")] }])],
    ["another timeline", poke(5, [{ baseCheckpoint: 3, rowsPatch: [insert("b")] }], "e2")],
  ])("reads afresh on %s, and shows nothing of the poke", (_, wrong) => {
    const [state, effects] = take(seeded, wrong);
    expect(state).toMatchObject({ status: "stale", checkpoint: undefined, strikes: 1 });
    expect([...state.rows.keys()]).toEqual(["a"]);
    expect(effects).toEqual(["restart"]);
    const [reset] = take(state, poke(9, [{ reset: true, rowsPatch: [insert("c")] }], "e2"));
    expect([...reset.rows.keys()]).toEqual(["c"]);
    // Only a change that fits shows that it is well again.
    expect(reset.strikes).toBe(1);
    expect(take(reset, poke(10, [{ baseCheckpoint: 9 }], "e2"))[0].strikes).toBe(0);
  });

  it.each([
    ["start", [1, 0, 2]],
    ["end", [0, 2, 1]],
  ])("reads afresh when a part is on the wrong side of its %s", (_, order) => {
    const frames = poke(5, [{ baseCheckpoint: 3, rowsPatch: [insert("b")] }]);
    let state = seeded;
    const effects: ShapeEffect[] = [];
    for (const index of order) {
      const [next, caused] = take(state, [frames[index] as ServerFrame]);
      state = next;
      effects.push(...caused);
    }
    expect(effects).toEqual(["restart"]);
    expect(state).toMatchObject({ status: "stale", checkpoint: undefined, strikes: 1 });
  });

  it("is empty once it is refused", () => {
    const [state, effects] = stepShape(seeded, { type: "failed", error: new Error("x") as never });
    expect(state).toMatchObject({ status: "error", rows: new Map() });
    expect(state.checkpoint).toBeUndefined();
    expect(effects).toEqual([{ isReset: true, changes: [] }]);
  });

  it("goes on from a server that has slept and vouches for it", () => {
    expect(take(seeded, poke(7, [{ rowsPatch: [insert("b")] }]))[1]).toMatchObject([{ isReset: false }]);
  });
});

describe("a poke", () => {
  const start = (pokeId: string) => ({ type: "pokeStart", pokeId, epoch: "e" }) as const;
  const end = (pokeId: string) => ({ type: "pokeEnd", pokeId, checkpoint: 5 }) as const;
  const change = part({ baseCheckpoint: 3, rowsPatch: [insert("b")] });

  it("is taken whole or not at all", () => {
    const [open, effects] = take(seeded, [start("p"), change]);
    expect([open.rows, open.checkpoint, effects]).toEqual([seeded.rows, 3, []]);
    expect([...take(open, [end("p")])[0].rows.keys()]).toEqual(["a", "b"]);
    const [down] = stepShape(open, { type: "down" });
    expect(take(down, [end("p")])[0]).toMatchObject({ rows: seeded.rows, checkpoint: 3, status: "stale" });
  });

  it("is nothing for a shape that has no part in it", () => {
    expect(take(seeded, [start("p"), end("p")])[0]).toEqual({ ...seeded, open: undefined });
    expect(take(seeded, [start("p"), part({ pokeId: "other" }), end("other")])[0].rows).toBe(seeded.rows);
  });

  it("that never ends means reading afresh, if it had a part for the shape", () => {
    expect(take(seeded, [start("p"), change, start("q")])).toMatchObject([
      { status: "stale", strikes: 1 },
      ["restart"],
    ]);
    expect(take(seeded, [start("p"), start("q")])[1]).toEqual([]);
  });
});
