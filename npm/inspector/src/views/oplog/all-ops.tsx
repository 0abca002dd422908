import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { faultCause } from "../../logic/fault-text.ts";
import { clock, count, plural } from "../../logic/format.ts";
import { shortId } from "../../logic/names.ts";
import { opFilter } from "../../logic/op-filter.ts";
import { opRows } from "../../logic/op-rows.ts";
import type { OpRow } from "../../logic/op-rows.ts";
import { href } from "../../logic/route.ts";
import { appModel } from "../../store/app-model.ts";
import { go } from "../../store/location.ts";
import { useAdded } from "../../store/use-added.ts";
import { useEvents } from "../../store/use-events.ts";
import { Badge } from "../../ui/badge.tsx";
import { OperationBadge } from "../../ui/badges.tsx";
import { FaultBadge } from "../../ui/fault-badge.tsx";
import { CallLink, ShardLink } from "../../ui/links.tsx";
import { newestFirst } from "../../ui/list-source.ts";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { NoOps } from "./no-ops.tsx";

const columns: readonly Column<OpRow>[] = [
  { title: "Seq", isNumber: true, cell: (row) => seqOf(row) ?? "–" },
  { title: "Time", isWide: true, cell: (row) => <time>{clock(row.kind === "fault" ? row.event.at : row.at)}</time> },
  { title: "Op", cell: (row) => <What row={row} /> },
  {
    title: "Shard",
    cell: (row) => {
      const { object } = row.kind === "fault" ? row.event : row;
      return object === undefined ? "–" : <ShardLink object={object} isInList />;
    },
  },
  { title: "Table", isWide: true, cell: (row) => (row.kind === "change" ? row.change.table : "–") },
  {
    title: "Row",
    isWide: true,
    cell: (row) => (row.kind === "change" ? <code>{shortId(row.change.id)}</code> : "–"),
  },
  { title: "Caused by", isWide: true, cell: (row) => <Cause row={row} /> },
];

function seqOf(row: OpRow): number | undefined {
  if (row.kind === "fault") return undefined;
  return row.kind === "change" ? row.change.seq : row.toSeq;
}

function What({ row }: { readonly row: OpRow }): JSX.Element {
  if (row.kind === "change") return <OperationBadge op={row.change.op} />;
  if (row.kind === "fault") return <FaultBadge event={row.event} />;
  return (
    <Badge tone="plain" icon="changed">
      {row.calls === undefined ? `${count(row.count)} more` : plural(row.count, "op")}
    </Badge>
  );
}

function Cause({ row }: { readonly row: OpRow }): JSX.Element {
  if (row.kind === "fault")
    return (
      <a href="/faults" tabIndex={-1}>
        {faultCause(row.event)}
      </a>
    );
  if (row.kind === "unlisted") return <>{row.calls === undefined ? "–" : plural(row.calls, "mutation")}</>;
  if (row.call === undefined) return <>–</>;
  return (
    <CallLink call={row.call.call} isInList>
      {row.call.functionPath}
    </CallLink>
  );
}

function placeOf(row: OpRow): string {
  return row.kind === "fault" ? href("faults") : href("oplog", [row.object], { seq: seqOf(row) });
}

/** The live tail of all shards. */
export function AllOps({ filter }: { readonly filter: string }): JSX.Element {
  const commits = useEvents("commits", ["commit", "fault"]);
  const tables = appModel.value?.tables.map((table) => table.name) ?? [];
  const wanted = opFilter(filter, tables);
  const ops = useMemo(() => opRows(commits, wanted), [commits, filter, tables.length]);
  const added = useAdded(filter, ops, (op) => op.n);
  if (ops.length === 0) return <NoOps isFiltered={filter !== ""} />;
  return (
    <VirtualList
      label="Row changes of all shards and faults, newest first"
      source={newestFirst(ops)}
      prepended={added}
      columns={columns}
      layout="all-ops-list"
      onOpen={(row) => go(placeOf(row))}
    />
  );
}
