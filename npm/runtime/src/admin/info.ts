import type { JobPage } from "@lunora/server";

import { callObject } from "../call-object.ts";
import { reachObject } from "../reach-object.ts";
import { jsonResponse } from "../responses.ts";
import type { RouteScope } from "../route.ts";
import { SCHEDULER_BINDING, SCHEDULER_OBJECT } from "../scheduler-protocol.ts";
import type { SchedulerMethods } from "../scheduler-protocol.ts";
import { AdminObjects } from "./admin-objects.ts";
import { tablesOf } from "./schema-info.ts";

/** Jobs that are counted at most. */
const JOBS = 5_000;

/** How many jobs wait, which no export takes along; `null` in an app that schedules nothing. */
async function waitingJobs({
  env,
  definition,
  timers,
}: RouteScope): Promise<{ readonly count: number; readonly hasMore: boolean } | null> {
  if (definition.scheduling === undefined) return null;
  let count = 0;
  let cursor: string | null = null;
  do {
    const after: string | null = cursor;
    const page: JobPage = await callObject(
      () => reachObject<SchedulerMethods>(definition.schema, env, SCHEDULER_BINDING, SCHEDULER_OBJECT),
      (scheduler) => scheduler.list({ limit: 1_000, cursor: after }),
      true,
      timers,
    );
    count += page.jobs.length;
    ({ cursor } = page);
  } while (cursor !== null && count < JOBS);
  return { count, hasMore: cursor !== null };
}

/** What is deployed: the first thing that whoever moves data wants to know. */
export async function info(scope: RouteScope): Promise<Response> {
  const { request, env, definition } = scope;
  const region = env["LUNORA_REGION"];
  const { names, cursor } = await new AdminObjects(scope).names(null);
  return jsonResponse(request, env, 200, {
    version: 1,
    schemaVersion: definition.schemaVersion ?? null,
    jurisdiction: definition.schema.pinnedJurisdiction ?? null,
    region: typeof region === "string" && region !== "" ? region : null,
    /** How many shards there are, at least. */
    shards: names.length,
    hasMoreShards: cursor !== null,
    scheduledJobs: await waitingJobs(scope),
    tables: tablesOf(definition.schema),
  });
}
