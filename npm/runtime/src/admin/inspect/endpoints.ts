import { jsonResponse } from "../../responses.ts";
import type { RouteScope } from "../../route.ts";
import { AdminBody } from "../admin-body.ts";
import { injectFault } from "./fault.ts";
import { ofShard, onShard } from "./of-shard.ts";
import { decideJob, listJobs } from "./jobs.ts";
import { listPolicies } from "./policies.ts";
import { run } from "./run.ts";
import { listShards, oneShard } from "./shards.ts";

/** Answers one operation; what it throws is told as a coded error. */
export type Inspection = (scope: RouteScope, body: AdminBody) => Promise<unknown>;

/** Longest body, bytes: a row, and its quotes. */
const BODY_BYTES = 4_000_000;

function endpoint(inspect: Inspection): {
  readonly method: "POST";
  handle(scope: RouteScope): Promise<Response>;
} {
  return {
    method: "POST",
    handle: async (scope) => {
      const value = await inspect(scope, await AdminBody.read(scope.request, BODY_BYTES));
      return jsonResponse(scope.request, scope.env, 200, { value });
    },
  };
}

/** What looks into an app, by name below `/_lunora/admin/`. All but `edit`, `run`, `job` and `fault` only read. */
export const INSPECT_ENDPOINTS: Readonly<Record<`inspect/${string}`, ReturnType<typeof endpoint>>> = {
  "inspect/shards": endpoint(listShards),
  "inspect/shard": endpoint(oneShard),
  "inspect/oplog": endpoint(ofShard("oplog")),
  "inspect/rows": endpoint(ofShard("rows")),
  "inspect/row": endpoint(ofShard("row")),
  "inspect/clients": endpoint(ofShard("clients")),
  "inspect/shapes": endpoint(ofShard("shapes")),
  "inspect/why": endpoint(ofShard("why")),
  "inspect/edit": endpoint(onShard("edit")),
  "inspect/run": endpoint(run),
  "inspect/jobs": endpoint(listJobs),
  "inspect/policies": endpoint(listPolicies),
  "inspect/job": endpoint(decideJob),
  "inspect/fault": endpoint(injectFault),
};
