/// <reference types="node" />
import { afterAll, beforeAll, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { NAMESPACES } from "../../do/testing/client.ts";
import { TestWorker } from "../../do/testing/workerd.ts";
import { Cable } from "../testing/cable.ts";
import { RealRun } from "../testing/worker/real-run.ts";

const RUNS = 20;
const COMMANDS = 60;

let worker: TestWorker;
beforeAll(async () => {
  const entry = new URL("../testing/worker/app.ts", import.meta.url).pathname;
  worker = await TestWorker.start({ entry, namespaces: NAMESPACES });
});
afterAll(() => worker?.stop());

it(`keeps every promise in ${RUNS} runs of ${COMMANDS} commands against workerd`, { timeout: 600_000 }, async () => {
  const cable = await Cable.lay(() => Number(new URL(worker.origin).port));
  try {
    for (let run = 0; run < RUNS; run++) {
      try {
        cable.isOnline = true;
        await new RealRun(seed + run, cable, () => worker.restart()).run(COMMANDS);
      } catch (error) {
        throw new Error(`LUNORA_SEED=${seed} run ${run}`, { cause: error });
      }
    }
  } finally {
    await cable.remove();
  }
});
