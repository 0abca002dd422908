import { ROOT_OBJECT } from "@lunora/protocol";

import type { RouteScope } from "../../route.ts";
import type { RegistryPage } from "../../shard-protocol.ts";
import type { AdminBody } from "../admin-body.ts";
import { AdminObjects } from "../admin-objects.ts";
import { assertShard } from "./of-shard.ts";

/** Shards by name: `{cursor?, limit?, search?}`. Reaches none of them. */
export async function listShards(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const { names, cursor } = await new AdminObjects(scope).registry<RegistryPage>("inspect/shards", body.without());
  const shards = names.map((name) => ({ name, tier: name === ROOT_OBJECT ? "root" : "shardBy" }));
  return { shards, cursor };
}

/** What one shard is and holds: `{object}`. */
export async function oneShard(scope: RouteScope, body: AdminBody): Promise<unknown> {
  const { definition, env } = scope;
  const object = body.text("object");
  const objects = new AdminObjects(scope);
  const memberSince = await assertShard(objects, object);
  const facts: object = await objects.shard(object, "inspect/shard", {});
  const region = definition.schema.pinnedJurisdiction ?? env["LUNORA_REGION"];
  return { ...facts, region: typeof region === "string" && region !== "" ? region : null, memberSince };
}
