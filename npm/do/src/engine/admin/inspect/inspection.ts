import type { ShardAdminHost } from "../admin-part.ts";
import { clients } from "./clients.ts";
import { edit } from "./edit.ts";
import { fault } from "./fault.ts";
import { oplog } from "./log-entries.ts";
import { row } from "./one-row.ts";
import { rows } from "./row-list.ts";
import { run } from "./run.ts";
import { shapeList } from "./shape-list.ts";
import { shardFacts } from "./shard-facts.ts";
import { why } from "./why.ts";

/** What is asked of a shard to look into it. Only `edit`, `run` and `fault` do more than read. */
export function createInspection(
  host: ShardAdminHost,
): Readonly<Record<`inspect/${string}`, (argument: unknown) => unknown>> {
  return {
    "inspect/shard": () => shardFacts(host),
    "inspect/oplog": (argument) => oplog(host, argument),
    "inspect/rows": (argument) => rows(host, argument),
    "inspect/row": (argument) => row(host, argument),
    "inspect/edit": (argument) => edit(host, argument),
    "inspect/clients": (argument) => clients(host, argument),
    "inspect/shapes": (argument) => shapeList(host, argument),
    "inspect/why": (argument) => why(host, argument),
    "inspect/run": (argument) => run(host, argument),
    "inspect/fault": (argument) => fault(host, argument),
  };
}
