import { reachObject, SCHEDULER_BINDING, SCHEDULER_OBJECT } from "@lunora/runtime";
import type { SchedulerMethods } from "@lunora/runtime";
import type { Environment, LunoraDefinition } from "@lunora/server";

/** The stub of the app's one scheduler, in the app's jurisdiction. */
export function reachScheduler({ schema }: LunoraDefinition, env: Environment): SchedulerMethods {
  return reachObject<SchedulerMethods>(schema, env, SCHEDULER_BINDING, SCHEDULER_OBJECT);
}
