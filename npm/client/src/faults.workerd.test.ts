/// <reference types="node" />
import { afterAll, beforeAll, expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { TOKEN } from "../../do/testing/admin-client.ts";
import { NAMESPACES } from "../../do/testing/client.ts";
import { inspectApp } from "../../do/testing/inspect-client.ts";
import type { Loose } from "../../do/testing/loose.ts";
import { TapListener } from "../../do/testing/tap-listener.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { Cable } from "../testing/cable.ts";
import type { Random } from "../testing/random.ts";
import { RealRun } from "../testing/worker/real-run.ts";
import type { Disturb } from "../testing/worker/real-run.ts";

const RUNS = 8;
const COMMANDS = 60;

let listener: TapListener;
let worker: TestWorker;
beforeAll(async () => {
  listener = await TapListener.start();
  worker = await TestWorker.start({
    entry: new URL("../testing/worker/app.ts", import.meta.url).pathname,
    namespaces: NAMESPACES,
    variables: { LUNORA_ADMIN_TOKEN: TOKEN },
    tap: listener.path,
  });
});
afterAll(async () => {
  await worker?.stop();
  await listener?.stop();
});

/** The socket, or the object, was gone first; or it is not reached, which is a fault's doing. */
const MISSED = new Set(["NOT_FOUND", "SHARD_NOT_FOUND", "SHARD_ERROR", "SHARD_UNAVAILABLE"]);

async function orMissed<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (MISSED.has((error as Loose).code)) return undefined;
    throw error;
  }
}

/** Each fault at random, of a random socket. */
const FAULTS: Readonly<Record<string, (random: Random, target: { object: string; socket: string }) => object>> = {
  dropSocket: (_, target) => target,
  cutPoke: (random, target) => ({ ...target, afterFrames: random.below(4) }),
  swapFrames: (_, target) => target,
  delayPokes: (random, { object }) => ({ object, ms: 1 + random.below(300), count: 1 + random.below(5) }),
  trimLog: (_, { object }) => ({ object }),
  evict: (_, { object }) => ({ object }),
  failRegion: (random) => ({ region: null, ms: 1 + random.below(200) }),
};

/** Injects one of the faults into an object. */
function disturbance(faults: readonly string[]): Disturb {
  return async (random, object) => {
    const fault = random.pick(faults) ?? "";
    const clients = await orMissed(inspectApp(worker, "clients", { object }));
    const { socket = "none" } = random.pick((clients?.sockets ?? []) as Loose[]) ?? {};
    await orMissed(inspectApp(worker, "fault", { fault, ...FAULTS[fault]?.(random, { object, socket }) }));
  };
}

const KINDS = Object.keys(FAULTS);
const CASES = [...KINDS.map((fault) => [fault]), KINDS];

it.each(CASES.map((faults, index) => ({ faults, first: seed + index * RUNS })))(
  "keeps every promise through $faults",
  { timeout: 600_000 },
  async ({ faults, first }) => {
    const from = listener.events.length;
    const cable = await Cable.lay(() => Number(new URL(worker.origin).port));
    try {
      for (let run = first; run < first + RUNS; run += 1) {
        try {
          await new RealRun(run, cable, () => worker.restart(), disturbance(faults)).run(COMMANDS);
        } catch (error) {
          throw new Error(`LUNORA_SEED=${seed} ${faults.join()} run ${run - first}`, { cause: error });
        }
      }
    } finally {
      await cable.remove();
    }
    // Runs in which nothing happened would say nothing.
    const happened = new Set(
      listener.events
        .slice(from)
        .flatMap(({ type, state, fault }) => (type === "fault" && state === "happened" ? fault : [])),
    );
    for (const fault of faults.length === 1 ? faults : []) expect(happened).toContain(fault);
  },
);
