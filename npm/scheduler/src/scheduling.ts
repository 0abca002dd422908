import { openScheduleOutbox } from "@lunora/do";
import type { SchedulingPart } from "@lunora/server";

import { ActionScheduler } from "./action-scheduler.ts";
import { cronsOf } from "./cron-handler.ts";

/** What generated code puts into the definition of an app that schedules. */
export const scheduling: SchedulingPart = {
  ofAction: (definition, env, now) => new ActionScheduler(definition, env, now),
  cronsOf,
  openOutbox: openScheduleOutbox,
};
