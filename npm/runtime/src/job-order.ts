import { LunoraError } from "@lunora/errors";
import { encodeValue, resolveAddress } from "@lunora/protocol";
import { findFunction } from "@lunora/server";
import type {
  FunctionRegistryEntry,
  JobListOptions,
  JobReference,
  LunoraDefinition,
  RetryOptions,
  ScheduleOptions,
} from "@lunora/server";

import type { JobOrder } from "./scheduler-protocol.ts";

/** Longest arguments of a job, characters of their JSON. */
const ARGUMENT_CHARACTERS = 262_144;

/** The last moment that JavaScript's dates can name, epoch milliseconds. */
const LAST_TIME = 8.64e15;

/** The longest a job can wait between attempts, milliseconds. */
const LONGEST_WAIT = 30 * 24 * 60 * 60 * 1000;

/** The object a job of this function runs in; `null` for an action. Throws when it has none, or is no target of jobs. */
export function jobShard(functionPath: string, entry: FunctionRegistryEntry, args: unknown): string | null {
  if (entry.kind === "action") return null;
  if (entry.kind !== "mutation")
    throw new LunoraError(
      "JOB_INVALID",
      `\`${functionPath}\` is a ${entry.kind}: nobody would see its result; schedule a mutation or an action`,
    );
  const target = resolveAddress(entry.address, (args ?? {}) as Record<string, unknown>);
  if (target.kind !== "object")
    throw new LunoraError("JOB_INVALID", `\`${functionPath}\` does not run in one shard, which a job has to`);
  return target.name;
}

function checkRetry(retry: RetryOptions): RetryOptions {
  const { maxAttempts = 1, baseMs = 1, maxMs = 1 } = retry;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 100)
    throw new LunoraError(
      "JOB_INVALID",
      `\`retry.maxAttempts\` is a whole number from 1 to 100, not \`${String(maxAttempts)}\``,
    );
  for (const [name, value] of [
    ["baseMs", baseMs],
    ["maxMs", maxMs],
  ] as const) {
    if (typeof value !== "number" || !(value >= 1 && value <= LONGEST_WAIT))
      throw new LunoraError(
        "JOB_INVALID",
        `\`retry.${name}\` is from 1 to ${LONGEST_WAIT} milliseconds, not \`${String(value)}\``,
      );
  }
  return retry;
}

/** `runAt` as epoch milliseconds. */
export function jobTime(time: unknown): number {
  const milliseconds = time instanceof Date ? time.getTime() : time;
  if (typeof milliseconds !== "number" || !(Math.abs(milliseconds) <= LAST_TIME))
    throw new LunoraError("JOB_INVALID", `\`${String(time)}\` is no time: pass epoch milliseconds or a date`);
  return milliseconds;
}

/** The time `delayMs` milliseconds from now. */
export function jobTimeAfter(delayMs: unknown, now: number): number {
  if (typeof delayMs !== "number" || !(delayMs >= 0))
    throw new LunoraError(
      "JOB_INVALID",
      `a job runs after a number of milliseconds that is not negative, not after \`${String(delayMs)}\``,
    );
  return jobTime(now + delayMs);
}

/** Most jobs in a page. */
const PAGE = 1_000;

/** Refuses options that mean nothing. */
export function checkJobList(options: JobListOptions): JobListOptions {
  const { limit = 1 } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE)
    throw new LunoraError("JOB_INVALID", `\`limit\` is a whole number from 1 to ${PAGE}, not \`${String(limit)}\``);
  return options;
}

/** Checks what is to be scheduled, and finds its shard. */
export function jobOrder(
  definition: LunoraDefinition,
  id: string,
  runAt: number,
  reference: JobReference,
  args: unknown,
  { retry }: ScheduleOptions = {},
): JobOrder {
  const { path } = reference;
  const entry = findFunction(definition.functions, path);
  if (entry === undefined) throw new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${path}\``);
  if (args !== undefined && (typeof args !== "object" || args === null || Array.isArray(args)))
    throw new LunoraError("JOB_INVALID", `the arguments of \`${path}\` have to be an object`);
  const shard = jobShard(path, entry, args);
  const encoded = encodeValue(args ?? {});
  const { length } = JSON.stringify(encoded);
  if (length > ARGUMENT_CHARACTERS)
    throw new LunoraError(
      "JOB_TOO_LARGE",
      `the arguments of \`${path}\` are ${length} characters of JSON, and a job keeps at most ${ARGUMENT_CHARACTERS}`,
    );
  return {
    id,
    functionPath: path,
    args: encoded,
    runAt,
    shard,
    ...(retry === undefined ? {} : { retry: checkRetry(retry) }),
  };
}
