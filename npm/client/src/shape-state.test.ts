import type { PokePartFrame } from "@lunora/protocol";
import { describe, expect, it } from "vitest";

import { MAX_OPEN_POKES, stepPokes } from "./pokes.ts";
import type { OpenPokes } from "./pokes.ts";
import { INITIAL_SHAPE, stepShape } from "./shape-state.ts";
import type { Poke, ShapeState } from "./shape-state.ts";

const insert = (key: string, n = 0) => ({ op: "insert" as const, key, table: "t", value: { _id: key, n } });
const part = (fields: Partial<PokePartFrame>): PokePartFrame => ({
  type: "pokePart",
  pokeId: "p",
  shapeId: "s",
  rowsPatch: [],
  ...fields,
});
const poke = (checkpoint: number, parts: Partial<PokePartFrame>[], epoch = "e"): Poke => ({
  start: { type: "pokeStart", pokeId: "p", epoch },
  parts: parts.map(part),
  end: { type: "pokeEnd", pokeId: "p", checkpoint, epoch },
});
const take = (state: ShapeState, taken: Poke) => stepShape(state, { type: "poke", poke: taken, lastMutationId: 0 });
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

describe("pokes", () => {
  const start = (pokeId: string) => ({ type: "pokeStart", pokeId }) as const;
  const end = (pokeId: string) => ({ type: "pokeEnd", pokeId }) as const;

  it("come out whole or not at all", () => {
    let open: OpenPokes = new Map();
    for (const frame of [start("p"), part({}), part({ shapeId: "other" })]) {
      const step = stepPokes(open, frame);
      expect(step.complete).toBeUndefined();
      open = step.open;
    }
    expect(stepPokes(open, end("p")).complete?.parts).toHaveLength(2);
    expect(stepPokes(new Map(), end("p")).complete).toBeUndefined();
    expect(stepPokes(new Map(), part({})).open.size).toBe(0);
  });

  it("are bounded: the oldest makes room", () => {
    let open: OpenPokes = new Map();
    for (let n = 0; n < MAX_OPEN_POKES; n++) open = stepPokes(open, start(`p${n}`)).open;
    open = stepPokes(open, part({ pokeId: "p0" })).open;
    const step = stepPokes(open, start("late"));
    expect(step.open.size).toBe(MAX_OPEN_POKES);
    expect(step.evicted?.parts).toHaveLength(1);
  });
});
