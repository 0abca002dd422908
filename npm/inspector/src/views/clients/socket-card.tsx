import type { JSX } from "preact";
import type { Clients } from "../../api/shards.ts";
import { personLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { status } from "../../store/status.ts";
import { Badge } from "../../ui/badge.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { Table } from "../../ui/table.tsx";
import { useAct } from "../../ui/use-act.ts";
import { Value } from "../../ui/value.tsx";
import { SocketFaults } from "./socket-faults.tsx";

interface Props {
  readonly object: string;
  readonly socket: Clients["sockets"][number];
  readonly isMarked: boolean;
}

/** A socket, and what it follows. */
export function SocketCard({ object, socket, isMarked }: Props): JSX.Element {
  const act = useAct();
  const disturb = (fault: string, more: Readonly<Record<string, unknown>> = {}): void =>
    act.run(`${fault}: done`, async () => {
      await api.post("faults", { object, fault, socket: socket.socket, ...more });
    });
  return (
    <article class="card" data-marked={isMarked}>
      <div class="section-head">
        <h3>
          {personLabel(socket.userId)} <code class="soft">{socket.socket}</code>
        </h3>
        <span class="actions">
          <a class="button small" href={href("pokes", [object], { socket: socket.socket })}>
            Pokes
          </a>
          {status.value?.faults === true && <SocketFaults disturb={disturb} isBusy={act.isBusy} />}
        </span>
      </div>
      <p class="hint">Client {socket.clientId ?? "has not said who it is"}</p>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      {socket.subscriptions.length === 0 ? (
        <p class="hint">It follows nothing.</p>
      ) : (
        <Table
          label={`Subscriptions of ${socket.socket}`}
          head={["Kind", "Name", "Arguments", "Up to"]}
          rows={socket.subscriptions.map((subscription) => ({
            key: subscription.id,
            cells: [
              <Badge key="kind" tone="accent">
                {subscription.kind}
              </Badge>,
              subscription.name,
              <Value key="args" value={subscription.args} />,
              subscription.toSeq ?? "–",
            ],
          }))}
        />
      )}
    </article>
  );
}
