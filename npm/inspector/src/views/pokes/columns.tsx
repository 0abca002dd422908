import type { ComponentChildren } from "preact";
import type { EventOf } from "../../api/events.ts";
import { faultCause } from "../../logic/fault-text.ts";
import { bytes, clock, count, duration } from "../../logic/format.ts";
import { ring } from "../../store/timeline.ts";
import { FaultBadge } from "../../ui/fault-badge.tsx";
import { CallLink, ShardLink } from "../../ui/links.tsx";
import type { Column } from "../../ui/virtual-list.tsx";

type Poke = EventOf<"poke">;

const sum = (poke: Poke, value: (subscription: Poke["subscriptions"][number]) => number): number =>
  poke.subscriptions.reduce((total, subscription) => total + value(subscription), 0);

/** The call that wrote the last change the poke tells of. */
export function causeOf(poke: Poke): { readonly call: string; readonly functionPath: string } | undefined {
  const told = poke.calls?.at(-1);
  const known = told === undefined ? undefined : ring.call(told);
  if (told !== undefined) return { call: told, functionPath: known?.functionPath ?? told };
  return ring.callAt(poke.object, poke.toSeq);
}

/** A row of the list: what was sent, and what went wrong on purpose in between. */
export type PokeRow = Poke | EventOf<"fault">;

const blank = <span class="soft">–</span>;

/** What a poke has in a column; a fault has nothing there. */
const ofPoke =
  (cell: (poke: Poke) => ComponentChildren) =>
  (row: PokeRow): ComponentChildren =>
    row.type === "poke" ? cell(row) : blank;

export const pokeColumns: readonly Column<PokeRow>[] = [
  { title: "Time", cell: (row) => <time>{clock(row.at)}</time> },
  {
    title: "Shard",
    isWide: true,
    cell: (row) => (row.object === undefined ? blank : <ShardLink object={row.object} isInList />),
  },
  {
    title: "Socket",
    cell: (row) => (row.type === "fault" ? <FaultBadge event={row} /> : <code>{row.socket}</code>),
  },
  { title: "Rows in", isNumber: true, cell: ofPoke((poke) => count(sum(poke, ({ rowsIn }) => rowsIn))) },
  {
    title: "Rows out",
    isNumber: true,
    isWide: true,
    cell: ofPoke((poke) => count(sum(poke, ({ rowsOut }) => rowsOut))),
  },
  { title: "Bytes", isNumber: true, isWide: true, cell: ofPoke((poke) => bytes(poke.bytes)) },
  { title: "Took", isNumber: true, isWide: true, cell: ofPoke((poke) => duration(poke.ms)) },
  {
    title: "Caused by",
    isWide: true,
    cell: (row) => {
      if (row.type === "fault")
        return (
          <a href="/faults" tabIndex={-1}>
            {faultCause(row)}
          </a>
        );
      const cause = causeOf(row);
      return cause === undefined ? (
        blank
      ) : (
        <CallLink call={cause.call} isInList>
          {cause.functionPath}
        </CallLink>
      );
    },
  },
];
