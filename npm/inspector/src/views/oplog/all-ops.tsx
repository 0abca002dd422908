import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { CommittedChange, EventOf } from "../../api/events.ts";
import { faultCause, isDisturbance } from "../../logic/fault-text.ts";
import { clock } from "../../logic/format.ts";
import { shortId } from "../../logic/names.ts";
import { isOp, opFilter } from "../../logic/op-filter.ts";
import { href } from "../../logic/route.ts";
import { appModel } from "../../store/app-model.ts";
import { go } from "../../store/location.ts";
import { useAdded } from "../../store/use-added.ts";
import { useEvents } from "../../store/use-events.ts";
import { OperationBadge } from "../../ui/badges.tsx";
import { FaultBadge } from "../../ui/fault-badge.tsx";
import { CallLink, ShardLink } from "../../ui/links.tsx";
import { newestFirst } from "../../ui/list-source.ts";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { NoOps } from "./no-ops.tsx";

interface Op {
  /** Of the commit. */
  readonly n: number;
  readonly at: number;
  readonly object: string;
  readonly change: CommittedChange;
  readonly call: { readonly call: string; readonly functionPath: string } | undefined;
}

/** A row of the list: a change, or what went wrong on purpose in between. */
type OpRow = Op | EventOf<"fault">;

const columns: readonly Column<OpRow>[] = [
  { title: "Seq", isNumber: true, cell: (op) => ("change" in op ? op.change.seq : "–") },
  { title: "Time", isWide: true, cell: (op) => <time>{clock(op.at)}</time> },
  { title: "Op", cell: (op) => ("change" in op ? <OperationBadge op={op.change.op} /> : <FaultBadge event={op} />) },
  { title: "Shard", cell: (op) => (op.object === undefined ? "–" : <ShardLink object={op.object} isInList />) },
  { title: "Table", isWide: true, cell: (op) => ("change" in op ? op.change.table : "–") },
  { title: "Row", isWide: true, cell: (op) => ("change" in op ? <code>{shortId(op.change.id)}</code> : "–") },
  {
    title: "Caused by",
    isWide: true,
    cell: (op) =>
      !("change" in op) ? (
        <a href="/faults" tabIndex={-1}>
          {faultCause(op)}
        </a>
      ) : op.call === undefined ? (
        "–"
      ) : (
        <CallLink call={op.call.call} isInList>
          {op.call.functionPath}
        </CallLink>
      ),
  },
];

/** The live tail of all shards. */
export function AllOps({ filter }: { readonly filter: string }): JSX.Element {
  const commits = useEvents("commits", ["commit", "fault"]);
  const tables = appModel.value?.tables.map((table) => table.name) ?? [];
  const wanted = opFilter(filter, tables);
  const ops = useMemo(
    () =>
      commits.flatMap((commit): readonly OpRow[] => {
        // Whoever filters looks for changes.
        if (commit.type === "fault") return filter === "" && isDisturbance(commit) ? [commit] : [];
        return commit.changes
          .filter((change) => isOp(wanted, change))
          .map((change) => ({
            n: commit.n,
            at: commit.at,
            object: commit.object,
            change,
            call: commit.calls.find((call) => call.fromSeq < change.seq && change.seq <= call.toSeq),
          }));
      }),
    [commits, filter, tables.length],
  );
  const added = useAdded(filter, ops, (op) => op.n);
  if (ops.length === 0) return <NoOps isFiltered={filter !== ""} />;
  return (
    <VirtualList
      label="Row changes of all shards and faults, newest first"
      source={newestFirst(ops)}
      prepended={added}
      columns={columns}
      layout="all-ops-list"
      onOpen={(op) => go("change" in op ? href("oplog", [op.object], { seq: op.change.seq }) : href("faults"))}
    />
  );
}
