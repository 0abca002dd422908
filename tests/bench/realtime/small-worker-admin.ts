// The smallest app as code generation writes it: with what answers `lunora export`, `import`, `migrate` and `residency`.
import { admin, createShardObject, createShardRegistryObject } from "@lunora/do";
import type { ShardObjectClass, ShardRegistryObjectClass } from "@lunora/do";
import { adminRoutes, createWorker } from "@lunora/runtime";
import type { Worker } from "@lunora/runtime";

import { definition as small } from "./small-worker.ts";

const definition = { ...small, admin };

export const ShardDO: ShardObjectClass = createShardObject(definition);
export const ShardRegistryDO: ShardRegistryObjectClass = createShardRegistryObject(definition);
const worker: Worker = createWorker(definition, { routes: adminRoutes() });
export default worker;
