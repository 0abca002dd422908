import { createShardAdmin } from "../src/engine/admin/shard-admin.ts";
import type { Loose } from "./loose.ts";
import type { MemoryShard } from "./memory-shard.ts";

/** The admin part of a shard in Node: asks an operation. Rejects with what refuses it. */
export function memoryAdmin(shard: MemoryShard): (operation: string, argument?: object) => Promise<Loose> {
  const { engine, host } = shard;
  const unused = (): never => {
    throw new Error("not asked for here");
  };
  const admin = createShardAdmin({
    sql: shard.sqlite,
    engine,
    migrations: undefined,
    now: () => shard.now,
    transactionSync: (run) => host.transactionSync(run),
    sync: () => host.sync(),
    giveWay: async () => {},
    registry: unused,
    reopen: unused,
  });
  return async (operation, argument = {}) => admin.run(operation, argument);
}
