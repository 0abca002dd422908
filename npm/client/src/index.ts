export { batchCall } from "./batch.ts";
export type { BatchEntry, BatchResults, PublicReference, Settled } from "./batch.ts";
export { LunoraClient } from "./client.ts";
export type { AuthToken, CallOptions, LunoraClientOptions, MutationOptions } from "./client.ts";
export type { ClientEnvironment } from "./environment.ts";
export type { RetryPolicy } from "./retry.ts";
export { isLunoraError, LunoraError } from "@lunora/errors";
