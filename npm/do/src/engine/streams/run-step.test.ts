import { describe, expect, inject, test } from "vitest";

import { Random } from "../../../testing/random.ts";
import { newRun, step } from "./run-step.ts";
import type { RunEffect, RunEvent, RunState } from "./run-step.ts";
import { DEFAULT_STREAM_LIMITS, FRESH_BYTES, FRESH_CHUNKS } from "./stream-limits.ts";

const { chunks: RUN_CHUNKS, bytes: RUN_BYTES } = DEFAULT_STREAM_LIMITS;

const SEED = inject("seed");

/** Does what effects say, in the least: the rest is chance. */
class Model {
  state: RunState;
  pulls = 0;
  /** Chunks that came while somebody wanted them, and those that were stored and sent. */
  taken = 0;
  sent = 0;
  flushes = 0;
  ends = 0;
  stops = 0;
  /** The time of a run that nobody hears goes by. */
  isCounting = false;
  trace: string[] = [];

  constructor(isDurable: boolean) {
    this.state = newRun(isDurable, DEFAULT_STREAM_LIMITS);
  }

  step(event: RunEvent): readonly RunEffect[] {
    this.trace.push(event.type);
    const { state, effects } = step(this.state, event);
    this.state = state;
    for (const effect of effects) this.#act(effect);
    return effects;
  }

  #act(effect: RunEffect): void {
    this.trace.push(`  ${effect}`);
    if (effect === "pull") {
      this.pulls += 1;
      if (this.state.phase !== "running") throw new Error("asked after the end");
    }
    if (effect === "flushSoon") this.flushes += 1;
    if (effect === "tooLong") this.taken -= 1;
    if (effect === "stop") this.stops += 1;
    if (effect === "countDown" || effect === "heard") {
      if (this.isCounting === (effect === "countDown")) throw new Error(`${effect} twice`);
      this.isCounting = effect === "countDown";
    }
    if (effect === "end") {
      this.ends += 1;
      this.flush();
    }
  }

  flush(): void {
    this.sent = this.taken;
  }
}

function run(random: Random, isDurable: boolean): Model {
  const model = new Model(isDurable);
  const size = random.pick([1, 1_000, FRESH_BYTES, 3_000_000]);
  let answered = 0;
  model.step({ type: "joined" });
  let readers = 1;
  for (let count = 0; count < 400; count += 1) {
    expect(model.pulls - answered, "asked twice at once").toBeLessThanOrEqual(1);
    expect(model.state.fresh).toBeLessThanOrEqual(FRESH_CHUNKS);
    const choice = random.below(10);
    if (choice < 6 && model.pulls > answered) {
      answered += 1;
      if (random.chance(0.01)) model.step({ type: random.pick(["finished", "threw"]) });
      else {
        if (model.state.phase === "running") model.taken += 1;
        model.step({ type: "yielded", bytes: size });
      }
    } else if (choice === 6) {
      if (model.flushes > 0) {
        model.flushes -= 1;
        model.flush();
        model.step({ type: "flushed" });
      }
    } else if (choice === 7) {
      if (random.chance(0.3) && (isDurable || readers === 0)) {
        readers += 1;
        model.step({ type: "joined" });
      } else if (readers > 0 && random.chance(0.1)) {
        readers -= 1;
        model.step({ type: "left" });
      }
    } else if (choice === 8) model.step({ type: random.pick(["clogged", "drained"]) });
    else if (model.isCounting && random.chance(0.05)) model.step({ type: "unheard" });
    else if (!model.state.isStarted) model.step({ type: "started" });
  }
  return model;
}

describe("a run", () => {
  test("asks for one chunk at a time, sends each once and in time, ends once", () => {
    for (let round = 0; round < 500; round += 1) {
      const random = new Random(SEED + round);
      const isDurable = random.chance(0.5);
      const model = run(random, isDurable);
      const { state, ends, stops, taken, sent } = model;
      const name = `seed ${SEED + round}: ${model.trace.slice(-20).join(" ")}`;
      expect(ends, name).toBeLessThanOrEqual(1);
      expect(stops, name).toBeLessThanOrEqual(1);
      expect(state.phase === "complete" || state.phase === "failed", name).toBe(ends === 1);
      if (ends === 1) expect(sent, name).toBe(taken);
      if (state.phase === "running") expect(model.isCounting, name).toBe(isDurable && state.readers === 0);
      if (state.phase === "stopped") expect([isDurable, stops], name).toEqual([false, 1]);
      if (isDurable) {
        expect(state.chunks, name).toBeLessThanOrEqual(RUN_CHUNKS);
        expect(state.bytes, name).toBeLessThanOrEqual(RUN_BYTES);
      }
    }
  });

  const running = (isDurable: boolean): RunState => ({
    ...newRun(isDurable, DEFAULT_STREAM_LIMITS),
    isStarted: true,
    isPulling: true,
    readers: 1,
  });

  test("does not wait for a chunk that nobody wants: not asked for before its one reader takes what there is", () => {
    const clogged = step(running(false), { type: "clogged" }).state;
    const yielded = step(clogged, { type: "yielded", bytes: 1 });
    expect(yielded.effects).toEqual(["flushSoon"]);
    const flushed = step(yielded.state, { type: "flushed" });
    expect(flushed.effects).toEqual([]);
    expect(step(flushed.state, { type: "drained" }).effects).toEqual(["pull"]);
  });

  test("goes on without readers for its time when it is durable, and else stops", () => {
    const left = step(running(true), { type: "left" });
    expect(left.effects).toEqual(["countDown"]);
    const over = step(left.state, { type: "unheard" });
    expect(over.effects).toEqual(["unheard", "stop", "end"]);
    expect(over.state.phase).toBe("failed");
    const heard = step(left.state, { type: "joined" });
    expect(heard.effects).toEqual(["heard"]);
    expect(step(heard.state, { type: "unheard" })).toEqual({ state: heard.state, effects: [] });
    expect(step(running(false), { type: "left" }).effects).toEqual(["stop"]);
  });

  test.each([
    ["chunks", { chunks: RUN_CHUNKS }, 1],
    ["bytes", { bytes: RUN_BYTES }, 1],
    ["one byte", { bytes: RUN_BYTES - 1 }, 2],
  ])("a durable run ends at its limit of %s, another does not", (_, at, bytes) => {
    const full = step({ ...running(true), ...at }, { type: "yielded", bytes });
    expect(full.effects).toEqual(["tooLong", "stop", "end"]);
    expect(full.state.phase).toBe("failed");
    expect(step({ ...running(false), ...at }, { type: "yielded", bytes }).effects).toEqual(["flushSoon", "pull"]);
  });

  test("up to its limit it goes on", () => {
    const { state } = step({ ...running(true), bytes: RUN_BYTES - 1 }, { type: "yielded", bytes: 1 });
    expect([state.phase, state.bytes]).toEqual(["running", RUN_BYTES]);
  });
});
