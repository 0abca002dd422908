import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { AdminObjects } from "./admin-objects.ts";
import { schemaVersion, tablesOf } from "./schema-info.ts";

/** What is deployed: the first thing that whoever moves data wants to know. */
export async function info(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const region = env["LUNORA_REGION"];
  const { names, cursor } = await new AdminObjects(scope).names(null);
  return jsonResponse(request, env, 200, {
    version: 1,
    schemaVersion: await schemaVersion(definition.schema),
    jurisdiction: definition.schema.pinnedJurisdiction ?? null,
    region: typeof region === "string" && region !== "" ? region : null,
    /** How many shards there are, at least. */
    shards: names.length,
    hasMoreShards: cursor !== null,
    tables: tablesOf(definition.schema),
  });
}
