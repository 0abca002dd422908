import { failureOf } from "../function-runner.ts";
import type { ShardParts } from "../shard-hosts.ts";
import type { OpenedStream, StreamHost } from "./stream-host.ts";

/** What streams ask of the shard. */
export function streamHostOf({
  definition,
  host: { sql, now },
  runner,
  watch,
  hub,
  alarm,
  facts,
}: ShardParts): StreamHost {
  return {
    limits: definition.app.streams,
    storage: sql,
    now,
    newName: () => crypto.randomUUID(),
    later: (milliseconds, run) => {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },
    entry: (functionPath, args) => {
      const entry = runner.publicEntry(functionPath, "stream");
      runner.assertHere(functionPath, entry, args);
      return entry;
    },
    authorize: (connection, functionPath) => hub().authorize(connection, functionPath),
    durability: async (functionPath, entry) => (await runner.load(functionPath, entry)).durable,
    open: (functionPath, entry, args, identity, signal) => {
      const open = (): Promise<OpenedStream> =>
        runner.stream(functionPath, entry, args, identity, facts(identity, now()), signal);
      return watch?.stream(functionPath, args, identity, open) ?? open();
    },
    deliver: () => hub().deliver(),
    ended: (connection, id) => hub().streamEnded(connection, id),
    wakeAt: (time) =>
      void alarm()
        .wakeAt(time)
        .catch((error: unknown) => {
          failureOf("the alarm of a stream", error);
        }),
    failure: (name, error) => failureOf(name, error).error,
  };
}
