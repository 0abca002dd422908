export { createWorker } from "./create-worker.ts";
export type { Worker, WorkerOptions } from "./create-worker.ts";
export type { FanOutLimits } from "./fan-out.ts";
export type { Timers } from "./call-object.ts";
export { loggerOf } from "./logger.ts";
export { reachObject } from "./reach-object.ts";
export { BINDINGS, REGISTRY_OBJECT } from "./shard-protocol.ts";
export type { RegistryMethods, RegistryPage, ShardAnswer, ShardCall, ShardMethods } from "./shard-protocol.ts";
