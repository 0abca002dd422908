import { LunoraError } from "@lunora/errors";

import { observer } from "../../observer.ts";
import type { RouteScope } from "../../route.ts";
import type { AdminBody } from "../admin-body.ts";
import { AdminObjects } from "../admin-objects.ts";
import { assertShard } from "./of-shard.ts";

/** Disturbs the app: `{fault, object?, by?, ...}`. Whatever does it came with the observer, and checks the fields. */
export async function injectFault(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const faults = observer()?.faults;
  if (faults === undefined)
    throw new LunoraError("FAULTS_UNAVAILABLE", "only an app that runs in development can be disturbed");
  if (!body.has("object")) return faults.inject(body.without());
  const object = body.text("object");
  const objects = new AdminObjects(scope);
  await assertShard(objects, object);
  return objects.shardOnce(object, "inspect/fault", body.without("object"));
}
