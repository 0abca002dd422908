import { LunoraError } from "@lunora/errors";
import { ROOT_OBJECT } from "@lunora/protocol";
import type { SchemaDefinition } from "@lunora/server";

import { observer } from "../../observer.ts";
import type { RouteScope } from "../../route.ts";
import type { AdminBody } from "../admin-body.ts";
import { AdminObjects } from "../admin-objects.ts";

/**
 * When the shard became known, epoch milliseconds. Asked before the shard is reached, since reaching an object makes it.
 *
 * @throws LunoraError `SHARD_NOT_FOUND`
 */
export async function assertShard(objects: AdminObjects, object: string): Promise<number> {
  const since = await objects.registeredAt(object);
  if (since !== null) return since;
  throw new LunoraError("SHARD_NOT_FOUND", `there is no shard \`${object}\`: nothing was ever written there`, {
    data: { object },
  });
}

/** Whether a shard of the name could begin to exist. */
function canBegin({ tables }: SchemaDefinition, object: string): boolean {
  if (object === ROOT_OBJECT) return true;
  return Object.values(tables).some(
    ({ shardMode }) => shardMode.kind === "shardBy" && object.startsWith(`${shardMode.field}=`),
  );
}

/** Reads of a shard, which has to be one that was written to. */
export function ofShard(operation: string): (scope: RouteScope, body: AdminBody) => Promise<unknown> {
  return async (scope, body) => {
    const object = body.text("object");
    const objects = new AdminObjects(scope);
    await assertShard(objects, object);
    return objects.shard(object, `inspect/${operation}`, body.without("object"));
  };
}

/** What writes in a shard. Inserting may begin one, as any mutation does. */
export function onShard(operation: string): (scope: RouteScope, body: AdminBody) => Promise<unknown> {
  return async (scope, body) => {
    const object = body.text("object");
    const objects = new AdminObjects(scope);
    const mayBegin = body.text("op") === "insert" && canBegin(scope.definition.schema, object);
    if (!mayBegin) await assertShard(objects, object);
    return objects.shardOnce(object, `inspect/${operation}`, { ...body.without("object", "call"), ...observed() });
  };
}

/** What an observer will know a call by. */
export function observed(): { readonly call?: string } {
  const call = observer()?.nextId();
  return call === undefined ? {} : { call };
}
