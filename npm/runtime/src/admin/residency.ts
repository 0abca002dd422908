import { crossingsOf } from "../crossings.ts";
import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";

/** What is declared of where data is, and what went over the boundary in this isolate since it began. */
export async function residency({ request, env, definition }: RouteScope): Promise<Response> {
  const region = env["LUNORA_REGION"];
  return jsonResponse(request, env, 200, {
    jurisdiction: definition.schema.pinnedJurisdiction ?? null,
    region: typeof region === "string" && region !== "" ? region : null,
    crossings: crossingsOf(env),
  });
}
