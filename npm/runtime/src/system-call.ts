import { fromErrorBody } from "@lunora/errors";
import { decodeValue, encodeValue } from "@lunora/protocol";
import type { Environment, LunoraDefinition, SystemCall } from "@lunora/server";

import { REAL_TIMERS } from "./call-object.ts";
import { countCrossing } from "./crossings.ts";
import { Dispatcher } from "./dispatcher.ts";
import { FAN_OUT_LIMITS } from "./fan-out.ts";
import { observer } from "./observer.ts";

/**
 * Calls a function for the app itself: as nobody, past `authorizeShard`, in the objects of the call's own jurisdiction.
 * A mutation happens once, also when the platform loses the call on its way.
 *
 * @returns the function's result
 * @throws LunoraError what the call failed with
 */
export async function systemCall(
  definition: LunoraDefinition,
  env: Environment,
  { functionPath, args, shardKey, jurisdiction }: SystemCall,
): Promise<unknown> {
  const { pinnedJurisdiction: declared, ...schema } = definition.schema;
  if (jurisdiction !== declared) countCrossing(definition.schema, env, "mail", functionPath);
  const pinned = jurisdiction === undefined ? schema : { ...schema, pinnedJurisdiction: jurisdiction };
  const dispatcher = new Dispatcher({ ...definition, schema: pinned }, env, {
    now: Date.now,
    timers: REAL_TIMERS,
    fanOut: FAN_OUT_LIMITS,
  });
  const listening = observer();
  const answer = await dispatcher.call(
    {
      functionPath,
      args: encodeValue(args) as Record<string, unknown>,
      // What is lost on the way may be sent again.
      mutationId: `system-${crypto.randomUUID()}`,
      ...(shardKey === undefined ? {} : { shardKey }),
    },
    {
      identity: null,
      isTrusted: true,
      depth: 0,
      // For the timeline it came by no URL but by this, and is of the same call as what the handler does itself.
      ...(listening === undefined ? {} : { path: "email()", partOf: listening.current()?.call }),
    },
  );
  if (answer.ok) return decodeValue(answer.body.result);
  const { error } = answer.body;
  throw fromErrorBody(error.data === undefined ? error : { ...error, data: decodeValue(error.data) }, answer.status);
}
