import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { isDisturbance } from "../../logic/fault-text.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { go, route, setQuery } from "../../store/location.ts";
import { useAdded } from "../../store/use-added.ts";
import { useEvents } from "../../store/use-events.ts";
import { Empty } from "../../ui/empty.tsx";
import { newestFirst } from "../../ui/list-source.ts";
import { ObjectPicker } from "../../ui/object-picker.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import { pokeColumns } from "./columns.tsx";
import { PokePage } from "./poke-page.tsx";
import { SocketLanes } from "./socket-lanes.tsx";

const EXAMPLE = `import { useQuery } from "lunorash/react";

const messages = useQuery(api.messages.list, { channelId });`;

function Pokes({ object }: { readonly object: string | undefined }): JSX.Element {
  const search = route.value.query.get("socket") ?? "";
  const rows = useEvents(`pokes:${object ?? ""}:${search}`, ["poke", "fault"], (row) =>
    row.type === "poke"
      ? (object === undefined || row.object === object) && (search === "" || row.socket.includes(search))
      : isDisturbance(row) &&
        (object === undefined || row.object === undefined || row.object === object) &&
        (search === "" || !("socket" in row) || row.socket === undefined || row.socket.includes(search)),
  );
  const [pokes, faults] = useMemo(
    () => [rows.filter((row) => row.type === "poke"), rows.filter((row) => row.type === "fault")],
    [rows],
  );
  const added = useAdded(`${object ?? ""}:${search}`, rows, (row) => row.n);
  return (
    <Page
      title={object === undefined ? "Pokes" : `Pokes of ${shardLabel(object)}`}
      {...(object === undefined
        ? {}
        : {
            trail: [
              ["/pokes", "All shards"],
              [href("shards", [object]), shardLabel(object)],
            ] as const,
          })}
      isFull
      tools={
        <>
          <SearchField label="Filter by socket" value={search} onChange={(text) => setQuery({ socket: text })} />
          <ObjectPicker
            key={object ?? ""}
            value={object ?? ""}
            all="All shards"
            onChoose={(name) => go(href("pokes", name === "" ? [] : [name]))}
          />
        </>
      }
    >
      {pokes.length === 0 ? (
        <Empty title="Nobody was poked" code={EXAMPLE} file="src/messages.tsx">
          A poke brings a commit to a socket that subscribes to rows it changed. Open the app in a tab, subscribe, then
          write.
        </Empty>
      ) : (
        <>
          <SocketLanes pokes={pokes} faults={faults} />
          <VirtualList
            label="Pokes and faults, newest first"
            source={newestFirst(rows)}
            prepended={added}
            columns={pokeColumns}
            layout="poke-list"
            onOpen={(row) => go(row.type === "poke" ? href("pokes", [row.object, String(row.n)]) : href("faults"))}
          />
        </>
      )}
    </Page>
  );
}

/** What sockets were sent, or one such poke. */
export function PokesPage(): JSX.Element {
  const [object, number] = route.value.parts;
  if (object !== undefined && number !== undefined) return <PokePage key={number} object={object} n={Number(number)} />;
  return <Pokes object={object} />;
}
