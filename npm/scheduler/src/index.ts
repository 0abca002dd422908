export { createCronHandler } from "./cron-handler.ts";
export type { CronHandler, CronTick } from "./cron-handler.ts";
export { createSchedulerObject } from "./scheduler-object.ts";
export type { SchedulerObject, SchedulerObjectClass, SchedulerOptions } from "./scheduler-object.ts";
export type { SchedulerLimits } from "./engine/scheduler-engine.ts";
export type { RetryPolicy } from "./engine/retry.ts";
export { scheduling } from "./scheduling.ts";
