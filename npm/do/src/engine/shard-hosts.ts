import type { Identity, LunoraDefinition } from "@lunora/server";

import type { ClientLedger } from "./client-ledger.ts";
import type { FindHost } from "./find.ts";
import { failureOf } from "./function-runner.ts";
import type { FunctionRunner } from "./function-runner.ts";
import type { LiveHost, LiveMirror } from "./live/live-host.ts";
import type { ShardWatch } from "./observing/shard-watch.ts";
import type { OpLog } from "./op-log.ts";
import type { SessionFacts } from "./session.ts";
import type { ShardAlarm } from "./shard-alarm.ts";
import type { ShardHost } from "./shard-host.ts";
import type { SocketConnection } from "./sockets/socket-connection.ts";
import type { SocketHub } from "./sockets/socket-hub.ts";

/** Of a shard, what its parts for sockets are made from. */
export interface ShardParts {
  readonly definition: LunoraDefinition;
  readonly host: ShardHost;
  readonly find: FindHost;
  readonly runner: FunctionRunner;
  readonly log: OpLog;
  readonly ledger: ClientLedger;
  readonly watch: ShardWatch | undefined;
  /** Absent in an app without global tables. */
  readonly mirror: LiveMirror | undefined;
  /** Runs alone in the queue. Never rejects. */
  turn(run: () => Promise<void>): Promise<void>;
  /** Made after the parts. */
  hub(): SocketHub;
  alarm(): ShardAlarm;
  /** Facts of a session that writes nothing. */
  facts(identity: Identity | null, now: number): SessionFacts;
}

/** What live queries and shapes ask of the shard. */
export function liveHostOf(parts: ShardParts): LiveHost {
  const { definition, host, find, runner, log, ledger, watch, mirror, turn, hub, facts } = parts;
  return {
    definition,
    schema: find.schema,
    scope: find.scope,
    storage: find.storage,
    now: host.now,
    watch,
    mirror,
    turn,
    epoch: () => log.epoch,
    head: () => log.head,
    floor: () => log.floor,
    changesSince: (seq) => log.changesSince(seq),
    authorize: (connection, path) => hub().authorize(connection as SocketConnection, path),
    queryEntry: (functionPath, args) => {
      const entry = runner.publicEntry(functionPath, "query");
      runner.assertHere(functionPath, entry, args);
      return entry;
    },
    runQuery: ({ functionPath, args, identity }, own) => {
      const run = (): Promise<unknown> =>
        runner.query(functionPath, runner.entry(functionPath), args, identity, {
          ...facts(identity, host.now()),
          ...own,
        });
      return watch?.live(functionPath, run) ?? run();
    },
    lastMutationId: ({ identity, clientId }) => {
      if (clientId === undefined) return undefined;
      const watermark = ledger.watermark({ userId: identity?.userId ?? null, clientId });
      return watermark === 0 ? undefined : watermark;
    },
    changed: (connection) => hub().changed(connection as SocketConnection),
    ended: (connection, kind, id) => hub().ended(connection as SocketConnection, kind, id),
    failure: (name, error) => failureOf(name, error).error,
  };
}
