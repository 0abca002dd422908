export { adminRoutes } from "./admin/admin-routes.ts";
export type { AdminEndpoint } from "./admin/admin-routes.ts";
export { guardAdmin } from "./admin/guard.ts";
export { authorizeShard } from "./authorize.ts";
export { createWorker } from "./create-worker.ts";
export type { Worker, WorkerOptions } from "./create-worker.ts";
export { countCrossing, crossingsOf } from "./crossings.ts";
export type { Crossing, CrossingKind } from "./crossings.ts";
export { fanOut } from "./fan-out.ts";
export type { FanOutEffects, FanOutLimits } from "./fan-out.ts";
export type { Timers } from "./call-object.ts";
export { callObject } from "./call-object.ts";
export { jobSource, newJobId } from "./job-id.ts";
export { checkJobList, jobOrder, jobTime, jobTimeAfter } from "./job-order.ts";
export { loggerOf } from "./logger.ts";
export { observer } from "./observer.ts";
export type { Faults, ObservedScope, Observer } from "./observer.ts";
export { OBSERVED_CHANGES, OBSERVED_ROWS } from "./observed-event.ts";
export type {
  ObservedCall,
  ObservedCause,
  ObservedChange,
  ObservedCommit,
  ObservedEvent,
  ObservedFault,
  ObservedJob,
  ObservedLog,
  ObservedPoke,
  ObservedPokePart,
  ObservedRequest,
  ObservedSocket,
  ObservedSubscription,
  ObservedPlace,
  ObservedWatermark,
} from "./observed-event.ts";
export { PRESENCE_HEADER, presenceRoutes } from "./presence-route.ts";
export { reachObject } from "./reach-object.ts";
export { nextAlarm } from "./next-alarm.ts";
export type { Route, RouteScope } from "./route.ts";
export { runJob } from "./run-job.ts";
export { SCHEDULER_BINDING, SCHEDULER_OBJECT } from "./scheduler-protocol.ts";
export type {
  HoldAnswer,
  JobAction,
  JobDecision,
  JobOutcome,
  JobOrder,
  LookedAtJob,
  LookedAtJobs,
  OutboxEntry,
  OutboxSource,
  SchedulerMethods,
  ShardJobMethods,
  ShardJobRequest,
} from "./scheduler-protocol.ts";
export { BINDINGS, REGISTRY_OBJECT } from "./shard-protocol.ts";
export type {
  AdminAnswer,
  AdminCall,
  AdminMethods,
  RegistryMethods,
  RegistryPage,
  ShardAnswer,
  ShardCall,
  ShardMethods,
} from "./shard-protocol.ts";
export { acceptedSocket, refusedSocket, SHARD_HEADER } from "./socket-upgrade.ts";
export { systemCall } from "./system-call.ts";
