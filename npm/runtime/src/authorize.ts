import { LunoraError } from "@lunora/errors";
import type { AppOptions, Environment, Identity, ShardTarget } from "@lunora/server";

/** Refuses a shard that the caller may not reach. Without a rule only the root is open. */
export async function authorizeShard(
  app: AppOptions,
  env: Environment,
  identity: Identity | null,
  shard: ShardTarget,
  functionPath: string | null,
): Promise<void> {
  const isAllowed =
    app.authorizeShard === undefined
      ? shard.field === null
      : await app.authorizeShard({ identity, shard, functionPath, env });
  if (isAllowed !== true) {
    throw new LunoraError(
      "FORBIDDEN_SHARD",
      functionPath === null
        ? "the caller may not reach the shard"
        : `the caller may not reach the shard of \`${functionPath}\``,
    );
  }
}

/** Refuses a read of all shards. Without a rule nobody may. */
export async function authorizeFanOut(
  app: AppOptions,
  env: Environment,
  identity: Identity | null,
  functionPath: string,
): Promise<void> {
  const isAllowed =
    app.authorizeFanOut === undefined ? false : await app.authorizeFanOut({ identity, functionPath, env });
  if (isAllowed !== true) {
    throw new LunoraError("FORBIDDEN_FANOUT", `the caller may not run \`${functionPath}\`, which reads all shards`);
  }
}
