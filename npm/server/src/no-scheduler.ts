import { LunoraError } from "@lunora/errors";

import type { Scheduler } from "./scheduler.ts";

function refuse(): Promise<never> {
  return Promise.reject(
    new LunoraError("SCHEDULER_MISSING", "`ctx.scheduler` was used in a worker that was built without the scheduler", {
      hint: "Codegen adds it when it sees `ctx.scheduler` in a function or `lunora/crons.ts`: use it as `ctx.scheduler`, and run `lunora codegen`.",
    }),
  );
}

/** `ctx.scheduler` of an app whose worker has none. */
export const NO_SCHEDULER: Scheduler = { runAfter: refuse, runAt: refuse, cancel: refuse, get: refuse, list: refuse };
