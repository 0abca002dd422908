import type { EventOf } from "../../api/events.ts";
import { bytes, clock, count, duration } from "../../logic/format.ts";
import { ring } from "../../store/timeline.ts";
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

export const pokeColumns: readonly Column<Poke>[] = [
  { title: "Time", cell: (poke) => <time>{clock(poke.at)}</time> },
  { title: "Shard", isWide: true, cell: (poke) => <ShardLink object={poke.object} isInList /> },
  { title: "Socket", cell: (poke) => <code>{poke.socket}</code> },
  { title: "Rows in", isNumber: true, cell: (poke) => count(sum(poke, ({ rowsIn }) => rowsIn)) },
  { title: "Rows out", isNumber: true, isWide: true, cell: (poke) => count(sum(poke, ({ rowsOut }) => rowsOut)) },
  { title: "Bytes", isNumber: true, isWide: true, cell: (poke) => bytes(poke.bytes) },
  { title: "Took", isNumber: true, isWide: true, cell: (poke) => duration(poke.ms) },
  {
    title: "Caused by",
    isWide: true,
    cell: (poke) => {
      const cause = causeOf(poke);
      return cause === undefined ? (
        <span class="soft">–</span>
      ) : (
        <CallLink call={cause.call} isInList>
          {cause.functionPath}
        </CallLink>
      );
    },
  },
];
