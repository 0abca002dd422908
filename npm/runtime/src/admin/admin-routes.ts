import { LunoraError } from "@lunora/errors";

import type { Route, RouteScope } from "../route.ts";
import { endExport, exportPage, pauseWrites } from "./export.ts";
import { guardAdmin } from "./guard.ts";
import { abortImport, beginImport, commitImport, finishImport, importRows, prepareImport } from "./import.ts";
import { info } from "./info.ts";
import { INSPECT_ENDPOINTS } from "./inspect/endpoints.ts";
import { endMigration, migrate, migrationStatus } from "./migrate.ts";
import { residency } from "./residency.ts";
import { verify } from "./verify.ts";
import { weigh } from "./weigh.ts";

/** Everything that only an admin may ask is below. */
export const ADMIN_PATH = "/_lunora/admin/";

/** What answers one name below `/_lunora/admin/`. */
export interface AdminEndpoint {
  readonly method: "GET" | "POST";
  handle(scope: RouteScope): Promise<Response>;
}

/** By name below `/_lunora/admin/`. */
const ENDPOINTS: Readonly<Record<string, AdminEndpoint>> = {
  info: { method: "GET", handle: info },
  export: { method: "POST", handle: exportPage },
  "export/pause": { method: "POST", handle: pauseWrites },
  "export/end": { method: "POST", handle: endExport },
  "import/begin": { method: "POST", handle: beginImport },
  "import/rows": { method: "POST", handle: importRows },
  "import/prepare": { method: "POST", handle: prepareImport },
  "import/commit": { method: "POST", handle: commitImport },
  "import/finish": { method: "POST", handle: finishImport },
  "import/abort": { method: "POST", handle: abortImport },
  migrate: { method: "POST", handle: migrate },
  "migrate/status": { method: "POST", handle: migrationStatus },
  "migrate/end": { method: "POST", handle: endMigration },
  residency: { method: "GET", handle: residency },
  "residency/tables": { method: "POST", handle: weigh },
  verify: { method: "POST", handle: verify },
  ...INSPECT_ENDPOINTS,
};

/** All of them, so that what is off says nothing of the methods it would take. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

async function handle(scope: RouteScope): Promise<Response> {
  const { request, env } = scope;
  await guardAdmin(request, env);
  const { pathname } = new URL(request.url);
  const name = pathname.slice(ADMIN_PATH.length);
  const endpoint = Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined;
  if (endpoint === undefined) throw new LunoraError("NOT_FOUND", `there is nothing at \`${pathname}\``);
  if (endpoint.method !== request.method) {
    throw new LunoraError("METHOD_NOT_ALLOWED", `\`${pathname}\` takes ${endpoint.method}, not ${request.method}`);
  }
  return endpoint.handle(scope);
}

/** The routes of admins, for `createWorker`. They are off while the environment has no `LUNORA_ADMIN_TOKEN`. */
export function adminRoutes(): readonly Route[] {
  return [{ path: `${ADMIN_PATH}*`, methods: METHODS, handle }];
}
