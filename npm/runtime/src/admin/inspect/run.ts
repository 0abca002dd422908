import { LunoraError } from "@lunora/errors";
import { decodeValue, resolveAddress } from "@lunora/protocol";
import { findFunction } from "@lunora/server";
import type { Identity } from "@lunora/server";

import type { RouteScope } from "../../route.ts";
import type { AdminBody } from "../admin-body.ts";
import { AdminObjects } from "../admin-objects.ts";
import { assertShard, observed } from "./of-shard.ts";

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function identityIn(value: unknown): Identity | null {
  if (value === undefined || value === null) return null;
  const identity = isObject(value) ? decodeValue(value) : undefined;
  if (isObject(identity) && typeof identity["userId"] === "string" && identity["userId"] !== "")
    return identity as unknown as Identity;
  throw new LunoraError("BAD_REQUEST", "`identity` has to be null, or claims with a `userId` that is not empty");
}

/**
 * Runs any function of the app as an identity: `{object?, functionPath, args?, identity?}`. With `object` it is refused where
 * its address is another. An error of the function is part of the value, redacted as for any caller: what is behind
 * `INTERNAL` is in the log.
 */
export async function run(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const { definition, dispatcher } = scope;
  const functionPath = body.text("functionPath");
  const { args: given = {}, identity: claims } = body.without();
  const object = body.has("object") ? body.text("object") : undefined;
  if (!isObject(given)) throw new LunoraError("BAD_REQUEST", "`args` has to be an object");
  const identity = identityIn(claims);
  const entry = findFunction(definition.functions, functionPath);
  if (entry === undefined) throw new LunoraError("FUNCTION_NOT_FOUND", `there is no function \`${functionPath}\``);
  if (entry.kind === "stream")
    throw new LunoraError("BAD_REQUEST", `\`${functionPath}\` is a stream, which is subscribed to over a socket`);
  const target = resolveAddress(entry.address, decodeValue(given) as Record<string, unknown>);
  const place = target.kind === "object" ? target.name : undefined;
  if (object !== undefined && object !== place) {
    const where = place === undefined ? "no single shard" : `\`${place}\``;
    throw new LunoraError(
      "SHARD_MISMATCH",
      `\`${functionPath}\` with these arguments runs in ${where}, not in \`${object}\``,
    );
  }
  if (place === undefined) {
    const caller = { identity, isTrusted: true, depth: 0, path: new URL(scope.request.url).pathname };
    const answer = await dispatcher.call({ functionPath, args: given }, caller);
    if (!answer.ok) return { error: answer.body.error };
    return answer.body.result === undefined ? {} : { result: answer.body.result };
  }
  const objects = new AdminObjects(scope);
  // What reads makes no shard.
  if (entry.kind === "query") await assertShard(objects, place);
  const trace = observed();
  const ran: object = await objects.shardOnce(place, "inspect/run", {
    functionPath,
    args: given,
    identity: claims ?? null,
    ...trace,
  });
  return { ...ran, ...trace };
}
