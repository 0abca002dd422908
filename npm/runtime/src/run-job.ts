import { LunoraError } from "@lunora/errors";
import { decodeValue } from "@lunora/protocol";
import { findFunction } from "@lunora/server";
import type { Environment, LunoraDefinition } from "@lunora/server";

import { REAL_TIMERS } from "./call-object.ts";
import { Dispatcher } from "./dispatcher.ts";
import { FAN_OUT_LIMITS } from "./fan-out.ts";
import { jobShard } from "./job-order.ts";
import { failureOf } from "./responses.ts";
import type { JobOrder, JobOutcome } from "./scheduler-protocol.ts";

/**
 * Runs a job once: as nobody, and trusted, since a function of the app asked for it. Never throws. One whose function
 * is gone fails finally, and so does a mutation whose place has changed since it was scheduled: it may have happened
 * at the place before.
 */
export async function runJob(
  definition: LunoraDefinition,
  env: Environment,
  job: JobOrder,
  now: () => number,
): Promise<JobOutcome> {
  const { id, functionPath, args, shard } = job;
  try {
    const entry = findFunction(definition.functions, functionPath);
    if (entry === undefined) throw new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${functionPath}\``);
    const place = jobShard(functionPath, entry, decodeValue(args));
    if (place !== shard)
      throw new LunoraError(
        "SHARD_MISMATCH",
        `\`${functionPath}\` was scheduled to run in ${placeText(shard)}, and runs in ${placeText(place)} now`,
      );
  } catch (error) {
    const { code, message } = failureOf(error, functionPath).body.error;
    return { ok: false, code, message, isFinal: true };
  }
  const dispatcher = new Dispatcher(definition, env, { now, timers: REAL_TIMERS, fanOut: FAN_OUT_LIMITS });
  const answer = await dispatcher.call(
    { functionPath, args: args as Record<string, unknown>, ...(shard === null ? {} : { mutationId: id }) },
    { identity: null, isTrusted: true, depth: 0, jobId: id },
  );
  if (answer.ok) return { ok: true };
  const { code, message } = answer.body.error;
  return { ok: false, code, message, isFinal: false };
}

function placeText(shard: string | null): string {
  return shard === null ? "the Worker" : `\`${shard}\``;
}
