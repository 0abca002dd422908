import type { LogEntry } from "../../api/rows.ts";
import { clock } from "../../logic/format.ts";
import { shortId } from "../../logic/names.ts";
import { ring } from "../../store/timeline.ts";
import { OperationBadge } from "../../ui/badges.tsx";
import { CallLink } from "../../ui/links.tsx";
import type { Column } from "../../ui/virtual-list.tsx";

type Entry = LogEntry | "gap";

const of = <Value,>(entry: Entry, value: (entry: LogEntry) => Value): Value | undefined =>
  entry === "gap" ? undefined : value(entry);

/** Columns of one shard's op-log. */
export function logColumns(object: string): readonly Column<Entry>[] {
  return [
    { title: "Seq", isNumber: true, cell: (entry) => of(entry, ({ seq }) => seq) ?? "–" },
    { title: "Time", isWide: true, cell: (entry) => of(entry, ({ at }) => <time>{clock(at)}</time>) },
    {
      title: "Op",
      cell: (entry) => of(entry, ({ op }) => <OperationBadge op={op} />) ?? <span class="soft">not kept</span>,
    },
    { title: "Table", cell: (entry) => of(entry, ({ table }) => table) },
    { title: "Row", isWide: true, cell: (entry) => of(entry, ({ id }) => <code>{shortId(id)}</code>) },
    {
      title: "Caused by",
      isWide: true,
      cell: (entry) =>
        of(entry, ({ seq }) => {
          const call = ring.callAt(object, seq);
          return call === undefined ? (
            <span class="soft">–</span>
          ) : (
            <CallLink call={call.call} isInList>
              {call.functionPath}
            </CallLink>
          );
        }),
    },
  ];
}
