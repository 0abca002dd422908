import type { CommittedChange, EventOf } from "../api/events.ts";
import { isDisturbance } from "./fault-text.ts";
import { isOp } from "./op-filter.ts";
import type { OpFilter } from "./op-filter.ts";

/** A change of a row. */
export interface Op {
  readonly kind: "change";
  /** Of the commit. */
  readonly n: number;
  readonly at: number;
  readonly object: string;
  readonly change: CommittedChange;
  readonly call: { readonly call: string; readonly functionPath: string } | undefined;
}

/** Changes of a commit that it does not list: too many of one, or too many at once. */
export interface Unlisted {
  readonly kind: "unlisted";
  readonly n: number;
  readonly at: number;
  readonly object: string;
  readonly count: number;
  /** Position of the last of them. */
  readonly toSeq: number;
  /** Calls that made them; `undefined`: the commit's own. */
  readonly calls: number | undefined;
}

/** What went wrong on purpose in between. */
export interface Disturbance {
  readonly kind: "fault";
  readonly n: number;
  readonly event: EventOf<"fault">;
}

export type OpRow = Op | Unlisted | Disturbance;

/** Rows of the list of changes, in the order of the events. Whoever filters looks for changes. */
export function opRows(events: readonly EventOf<"commit" | "fault">[], wanted: OpFilter): OpRow[] {
  const isFiltered = Object.keys(wanted).length > 0;
  return events.flatMap((event): readonly OpRow[] => {
    const { n } = event;
    if (event.type === "fault") return !isFiltered && isDisturbance(event) ? [{ kind: "fault", n, event }] : [];
    const { at, object, calls, changes, omitted, omittedCalls, toSeq } = event;
    const rows = changes
      .filter((change) => isOp(wanted, change))
      .map((change): OpRow => {
        const call = calls.find(({ fromSeq, toSeq: last }) => fromSeq < change.seq && change.seq <= last);
        return { kind: "change", n, at, object, change, call };
      });
    if (omitted === undefined || isFiltered) return rows;
    return [...rows, { kind: "unlisted", n, at, object, count: omitted, toSeq, calls: omittedCalls }];
  });
}
