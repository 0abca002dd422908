import type { JSX } from "preact";
import type { Clients } from "../../api/shards.ts";
import { clock } from "../../logic/format.ts";
import { personLabel, shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { go, route } from "../../store/location.ts";
import { useEvents } from "../../store/use-events.ts";
import { useResource } from "../../store/use-resource.ts";
import { Ago } from "../../ui/badges.tsx";
import { Empty } from "../../ui/empty.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ObjectPicker } from "../../ui/object-picker.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { ChooseShard } from "../choose-shard.tsx";
import { SocketCard } from "./socket-card.tsx";
import { StoryList } from "./story-list.tsx";

const EXAMPLE = `const client = new LunoraClient({ url: location.origin });
client.subscribe(api.messages.list, { channelId }, (messages) => render(messages));`;

function Watermarks({
  object,
  clients,
}: {
  readonly object: string;
  readonly clients: Clients["clients"];
}): JSX.Element {
  const refusals = useEvents(
    `out:${object}`,
    ["watermark"],
    (event) => event.object === object && event.clients.some(({ outcome }) => outcome === "OUT_OF_ORDER"),
  );
  const last = (clientId: string): string => {
    const refused = refusals.findLast(({ clients: [client] }) => client?.clientId === clientId);
    return refused === undefined ? "–" : `OUT_OF_ORDER at ${clock(refused.at)}`;
  };
  if (clients.length === 0) return <p class="hint">No client has pushed a mutation to this shard.</p>;
  return (
    <Table
      label="Clients"
      head={["User", "Client", "Watermark", "Last push", "Last out of order"]}
      rows={clients.map((client) => ({
        key: `${client.userId ?? ""} ${client.clientId}`,
        cells: [
          personLabel(client.userId),
          <code key="id">{client.clientId}</code>,
          client.watermark,
          <Ago key="seen" at={client.seenAt} />,
          last(client.clientId),
        ],
      }))}
    />
  );
}

function Shard({ object }: { readonly object: string }): JSX.Element {
  const clients = useResource(`clients:${object}`, () => api.inspect<Clients>("clients", { object }));
  const marked = route.value.query.get("socket");
  return (
    <>
      <p>
        <button type="button" class="button small" onClick={clients.reload}>
          Read again
        </button>
      </p>
      <Loaded of={clients}>
        {({ sockets, clients: known }) => (
          <>
            <Section title={`Sockets (${sockets.length})`}>
              {sockets.length === 0 && (
                <Empty title="No socket is open" code={EXAMPLE} file="src/main.ts">
                  A client opens one when it first subscribes or follows a shape.
                </Empty>
              )}
              {sockets.map((socket) => (
                <SocketCard key={socket.socket} object={object} socket={socket} isMarked={socket.socket === marked} />
              ))}
            </Section>
            <Section title="Clients that pushed">
              <Watermarks object={object} clients={known} />
            </Section>
            <Section title="What happened">
              <StoryList object={object} />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}

const choose = (name: string): void => go(href("clients", name === "" ? [] : [name]));

/** Who is connected to a shard, what they follow, how far their mutations are. */
export function ClientsPage(): JSX.Element {
  const [object] = route.value.parts;
  return (
    <Page
      title={object === undefined ? "Clients" : `Clients of ${shardLabel(object)}`}
      {...(object === undefined
        ? {}
        : {
            trail: [
              ["/clients", "Clients"],
              [href("shards", [object]), shardLabel(object)],
            ] as const,
          })}
      tools={<ObjectPicker key={object ?? ""} value={object ?? ""} onChoose={choose} />}
    >
      {object === undefined ? <ChooseShard view="clients" /> : <Shard key={object} object={object} />}
    </Page>
  );
}
