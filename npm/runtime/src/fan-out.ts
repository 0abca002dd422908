import { decodeValue } from "@lunora/protocol";
import type { FanOutFailure, FanOutMerge, FanOutResult } from "@lunora/protocol";

import type { Timers } from "./call-object.ts";
import { mergeResults, mergesRows } from "./merge.ts";
import type { RegistryPage, ShardAnswer } from "./shard-protocol.ts";

export interface FanOutLimits {
  /** Shards asked at the same time. */
  readonly concurrency: number;
  /** How long one shard may take, milliseconds. */
  readonly shardTimeout: number;
}

export const FAN_OUT_LIMITS: FanOutLimits = { concurrency: 16, shardTimeout: 5_000 };

/** What a fan-out asks of the outside. */
export interface FanOutEffects {
  list(cursor: string | null): Promise<RegistryPage>;
  call(objectName: string): Promise<ShardAnswer>;
  readonly timers: Timers;
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly failure: FanOutFailure };

const TIMED_OUT = Symbol("timed out");

/** The bare value of a shard's name. */
function shardKeyOf(objectName: string): string {
  return decodeURIComponent(objectName.slice(objectName.indexOf("=") + 1));
}

async function ask(
  name: string,
  merge: FanOutMerge,
  { shardTimeout }: FanOutLimits,
  effects: FanOutEffects,
): Promise<Outcome> {
  const shardKey = shardKeyOf(name);
  const failed = (code: string, message: string, timedOut = false): Outcome => ({
    ok: false,
    failure: { shardKey, code, message, timedOut },
  });
  try {
    const call = effects.call(name);
    const answer = await Promise.race([call, effects.timers.sleep(shardTimeout).then(() => TIMED_OUT)]);
    if (answer === TIMED_OUT) {
      call.catch(() => {});
      return failed("SHARD_TIMEOUT", `the shard did not answer within ${shardTimeout} ms`, true);
    }
    if (!(answer as ShardAnswer).ok) {
      const { error } = (answer as Extract<ShardAnswer, { ok: false }>).body;
      return failed(error.code, error.message);
    }
    const value = decodeValue((answer as Extract<ShardAnswer, { ok: true }>).body.result);
    if (mergesRows(merge) && !Array.isArray(value)) {
      return failed("SHARD_ERROR", `the function returned no array, which the merge \`${merge.kind}\` needs`);
    }
    return { ok: true, value };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return typeof code === "string"
      ? failed(code, String(message))
      : failed("SHARD_ERROR", "the shard failed before it answered");
  }
}

/** Asks every known shard, a bounded number at a time. What single shards do wrong is data, not an exception. */
export async function fanOut(
  merge: FanOutMerge,
  limits: FanOutLimits,
  effects: FanOutEffects,
): Promise<FanOutResult<unknown>> {
  const outcomes: Outcome[] = [];
  let cursor: string | null = null;
  do {
    const page: RegistryPage = await effects.list(cursor);
    const { names } = page;
    const start = outcomes.length;
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < names.length) {
        const index = next;
        next += 1;
        outcomes[start + index] = await ask(names[index] as string, merge, limits, effects);
      }
    };
    await Promise.all(Array.from({ length: Math.min(limits.concurrency, names.length) }, worker));
    cursor = page.cursor;
  } while (cursor !== null);
  const values = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.failure]));
  return { data: mergeResults(merge, values), errors, ok: values.length, failed: errors.length };
}
