import { LunoraError } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";
import { encodeValue } from "@lunora/protocol";

import type { WrittenRange } from "../../mutation-call.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf, text } from "../arguments.ts";
import { mutate } from "./own-mutation.ts";
import { identityIn, optionalText } from "./questions.ts";

/** How a function that an admin ran has ended. Error and result are what any caller would be told. */
export interface RanFunction extends Partial<WrittenRange> {
  /** Wire-encoded. */
  readonly result?: unknown;
  readonly error?: ErrorBody;
}

/** Runs a query or a mutation of this shard, an internal one too: `{functionPath, args?, identity?, call?}`. */
export async function run({ engine }: ShardAdminHost, argument: unknown): Promise<RanFunction> {
  const fields = fieldsOf(argument);
  const functionPath = text(fields, "functionPath");
  const args = fields["args"] ?? {};
  if (typeof args !== "object" || Array.isArray(args))
    throw new LunoraError("BAD_REQUEST", "`args` has to be an object");
  const identity = encodeValue(identityIn(fields));
  const observed = optionalText(fields, "call");
  const { runner } = engine.insides;
  const entry = runner.entry(functionPath);
  runner.assertHere(functionPath, entry, args);
  const call = {
    object: engine.name,
    functionPath,
    args,
    identity,
    ...(observed === undefined ? {} : { call: observed }),
  };
  if (entry.kind !== "mutation") {
    const answered = await engine.call(call);
    if (!answered.ok) return { error: answered.body.error };
    return answered.body.result === undefined ? {} : { result: answered.body.result };
  }
  const outcome = await mutate(engine, entry, call);
  if (!outcome.ok) return { error: outcome.error };
  return { ...(outcome.result === undefined ? {} : { result: outcome.result }), ...outcome.written };
}
