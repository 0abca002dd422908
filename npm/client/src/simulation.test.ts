import { expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { Simulation } from "../testing/simulation.ts";

const RUNS = 500;
const COMMANDS = 120;

it(`keeps every promise in ${RUNS} runs of ${COMMANDS} commands`, { timeout: 300_000 }, async () => {
  for (let run = 0; run < RUNS; run++) {
    if (process.env.ONLY && run !== Number(process.env.ONLY)) continue;
    const simulation = new Simulation(seed + run);
    try {
      await simulation.run(COMMANDS);
    } catch (error) {
      const { message } = error as Error;
      expect.fail(
        `LUNORA_SEED=${seed} run ${run}: ${message}\n${simulation.log
          .split("\n")
          .slice(-Number(process.env.TAIL ?? 60))
          .join("\n")}`,
      );
    }
  }
});
