import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { LogEntry } from "../../api/rows.ts";
import { count } from "../../logic/format.ts";
import { route, setQuery } from "../../store/location.ts";
import { useEvents } from "../../store/use-events.ts";
import { useOpLog } from "../../store/use-op-log.ts";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Split } from "../../ui/split.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import { logColumns } from "./columns.tsx";
import { NoOps } from "./no-ops.tsx";
import { OpDetail } from "./op-detail.tsx";

/** One shard's op-log from its floor to its head: a position is read when somebody scrolls to it. */
export function ShardLog({ object }: { readonly object: string }): JSX.Element {
  const commits = useEvents(`commits:${object}`, ["commit"], (commit) => commit.object === object);
  const log = useOpLog(object, commits.at(-1)?.toSeq ?? 0);
  const asked = Number(route.value.query.get("seq") ?? Number.NaN);
  const firstHead = useRef<number | undefined>(undefined);
  if (log.refusal !== undefined) return <RefusalNotice refusal={log.refusal} />;
  if (log.range === undefined) return <Skeleton rows={10} />;
  if (log.length === 0) return <NoOps isFiltered={false} />;
  firstHead.current ??= log.range.head;
  const selected = Number.isSafeInteger(asked) ? log.indexOf(asked) : undefined;
  const item = selected === undefined ? undefined : log.at(selected);
  const entry: LogEntry | undefined = item === "gap" ? undefined : item;
  return (
    <>
      <p class="list-note">
        Kept:{" "}
        <strong>
          {count(log.range.floor)} … {count(log.range.head)}
        </strong>{" "}
        ({count(log.length)} positions). Epoch <code>{log.range.epoch}</code>
      </p>
      <Split
        detail={entry === undefined ? undefined : <OpDetail object={object} entry={entry} />}
        title={`Op ${asked}`}
        onClose={() => setQuery({ seq: undefined })}
      >
        <VirtualList
          label="Row changes of the shard, newest first"
          source={log}
          prepended={log.range.head - firstHead.current}
          columns={logColumns(object)}
          layout="log-list"
          {...(selected === undefined ? {} : { selected })}
          onOpen={(opened) => opened !== "gap" && setQuery({ seq: opened.seq })}
        />
      </Split>
    </>
  );
}
