export { createShardObject } from "./shard-object.ts";
export type { ShardObject, ShardObjectClass, ShardOptions } from "./shard-object.ts";
export { createShardRegistryObject } from "./shard-registry-object.ts";
export type { ShardRegistryObjectClass } from "./shard-registry-object.ts";
