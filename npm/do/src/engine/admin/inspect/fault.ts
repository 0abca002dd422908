import { LunoraError } from "@lunora/errors";

import type { ShardAdminHost } from "../admin-part.ts";

/** Disturbs the shard. Whatever does it came with the observer. */
export async function fault({ engine }: ShardAdminHost, argument: unknown): Promise<unknown> {
  const { watch } = engine.insides;
  if (watch === undefined) throw new LunoraError("FAULTS_UNAVAILABLE", "nobody observes this shard");
  return watch.faults.inject(engine, argument);
}
