import type { JSX } from "preact";
import type { LogEntry, LogPage } from "../../api/rows.ts";
import { opFilter } from "../../logic/op-filter.ts";
import { api } from "../../store/api.ts";
import { appModel } from "../../store/app-model.ts";
import { route, setQuery } from "../../store/location.ts";
import { usePages } from "../../store/use-pages.ts";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Split } from "../../ui/split.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import { logColumns } from "./columns.tsx";
import { NoOps } from "./no-ops.tsx";
import { OpDetail } from "./op-detail.tsx";

const PAGE = 200;

/** Entries of a shard's op-log that a filter lets through, newest first, as far as somebody scrolls. */
export function FilteredLog({ object, filter }: { readonly object: string; readonly filter: string }): JSX.Element {
  const wanted = opFilter(filter, appModel.value?.tables.map((table) => table.name) ?? []);
  const list = usePages<LogEntry>(`${object} ${JSON.stringify(wanted)}`, async (cursor) => {
    const before = cursor === undefined ? {} : { before: Number(cursor) };
    const page = await api.inspect<LogPage>("oplog", { object, limit: PAGE, ...before, ...wanted });
    const last = page.entries.at(-1);
    return { items: page.entries, cursor: page.entries.length < PAGE || last === undefined ? null : String(last.seq) };
  });
  const seq = Number(route.value.query.get("seq") ?? Number.NaN);
  let entry: LogEntry | undefined;
  for (let index = 0; index < list.length && entry === undefined; index += 1) {
    if (list.at(index)?.seq === seq) entry = list.at(index);
  }
  if (list.refusal !== undefined) return <RefusalNotice refusal={list.refusal} onRetry={list.reload} />;
  if (!list.isThere) return <Skeleton rows={10} />;
  if (list.length === 0) return <NoOps isFiltered />;
  return (
    <Split
      detail={entry === undefined ? undefined : <OpDetail object={object} entry={entry} />}
      title={`Op ${seq}`}
      onClose={() => setQuery({ seq: undefined })}
    >
      <VirtualList
        label="Row changes that fit, newest first"
        source={list}
        columns={logColumns(object)}
        layout="log-list"
        onOpen={(opened) => opened !== "gap" && setQuery({ seq: opened.seq })}
      />
    </Split>
  );
}
