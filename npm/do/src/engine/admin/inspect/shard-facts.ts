import type { OpLog } from "../../op-log.ts";
import { PRESSURE_LIMITS } from "../../pressure.ts";
import type { Pressure } from "../../pressure.ts";
import { quoteName } from "../../sql.ts";
import type { SqlStorage } from "../../sql.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { countRows } from "./bounded-count.ts";
import type { ShardFacts, TableFacts } from "./shard-answer.ts";

/** Changes whose lengths stand for those of all. */
const SAMPLE = 500;

/** Tables that SQLite and the platform keep for themselves. */
const OTHERS = /^(sqlite_|_cf_)/;

function tablesOf(storage: SqlStorage): TableFacts[] {
  return storage
    .exec("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .toArray()
    .map((row) => row["name"] as string)
    .filter((name) => !OTHERS.test(name))
    .map((name) => ({ name, isInternal: name.startsWith("__"), ...countRows(storage, quoteName(name)) }));
}

function logBytes(storage: SqlStorage, { head, floor, length }: OpLog): number {
  if (length === 0) return 0;
  const from = Math.max(floor, head - SAMPLE + 1);
  const sum = (statement: string): number => (storage.exec(statement, from).toArray()[0]?.["bytes"] ?? 0) as number;
  const sampled =
    sum(
      "SELECT sum(octet_length(coalesce(doc, '')) + octet_length(coalesce(before, ''))) AS bytes FROM __cdc_log WHERE seq >= ?",
    ) + sum("SELECT sum(octet_length(text)) AS bytes FROM __cdc_chunk WHERE seq >= ?");
  return Math.round((sampled / (head - from + 1)) * length);
}

/** Mutations a second in the window that is open; 0 when it was not closed in time. */
function rateOf({ windowStart, count }: Pressure, now: number): number {
  const elapsed = now - windowStart;
  return elapsed >= PRESSURE_LIMITS.window * 2 ? 0 : Math.round((count * 10_000) / Math.max(elapsed, 1_000)) / 10;
}

/** What is known of a shard, all at one moment. */
export function shardFacts({ engine, now }: ShardAdminHost): ShardFacts {
  const { insides, log, findHost, name } = engine;
  const { sockets, pressure, host } = insides;
  const bytes = host.databaseSize();
  const { epoch, floor, head, length: rows } = log;
  const { storage } = findHost;
  let subscriptions = 0;
  for (const connection of sockets.connections) subscriptions += sockets.subscriptionsOf(connection).length;
  const perSecond = rateOf(pressure, now());
  return {
    name,
    objectId: host.objectId,
    bytes,
    tables: tablesOf(storage),
    log: { epoch, floor, head, rows, bytes: logBytes(storage, log) },
    sockets: sockets.size,
    subscriptions,
    lastWriteAt: log.timeOf(head),
    mutationsPerSecond: perSecond,
    warnings: [
      ...(bytes > PRESSURE_LIMITS.size ? (["size"] as const) : []),
      ...(pressure.isHot || perSecond > PRESSURE_LIMITS.rate ? (["rate"] as const) : []),
    ],
  };
}
