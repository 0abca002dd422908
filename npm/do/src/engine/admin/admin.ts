import type { AdminPart } from "./admin-part.ts";
import { createRegistryAdmin } from "./registry-admin.ts";
import { createShardAdmin } from "./shard-admin.ts";

/** Export, import and proof inside objects; for the `admin` of an app's definition. */
export const admin: AdminPart = { shard: createShardAdmin, registry: createRegistryAdmin };
