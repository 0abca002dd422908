import type { JSX } from "preact";
import type { FaultEvent } from "../../api/events.ts";
import { faultCause, faultDetails } from "../../logic/fault-text.ts";
import { clock } from "../../logic/format.ts";
import { status } from "../../store/status.ts";
import { useEvents } from "../../store/use-events.ts";
import { Empty } from "../../ui/empty.tsx";
import { FaultBadge } from "../../ui/fault-badge.tsx";
import { ShardLink } from "../../ui/links.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { ChaosControl } from "./chaos-control.tsx";
import { RegionFaults } from "./region-faults.tsx";

const SHOWN = 100;

function Story({ faults }: { readonly faults: readonly FaultEvent[] }): JSX.Element {
  if (faults.length === 0)
    return (
      <Empty title="Nothing went wrong on purpose">
        Start chaos here, or disturb one shard on its page and one socket on the page of its clients.
      </Empty>
    );
  return (
    <Table
      label="Faults, newest first"
      head={["Time", "Fault", "State", "Shard", "Socket", "By", "Details"]}
      rows={faults
        .slice(-SHOWN)
        .toReversed()
        .map((event) => ({
          key: String(event.n),
          cells: [
            <time key="time">{clock(event.at)}</time>,
            <FaultBadge key="fault" event={event} />,
            event.state,
            event.object === undefined ? "–" : <ShardLink key="shard" object={event.object} />,
            "socket" in event && event.socket !== undefined ? <code key="socket">{event.socket}</code> : "–",
            faultCause(event),
            faultDetails(event),
          ],
        }))}
    />
  );
}

/** What goes wrong on purpose: chaos, regions, and all that did. */
export function FaultsPage(): JSX.Element {
  const faults = useEvents("faults", ["fault"]);
  return (
    <Page title="Faults">
      {status.value?.faults === true ? (
        <>
          <ChaosControl />
          <RegionFaults />
        </>
      ) : (
        <p class="hint">There is no worker that could be disturbed.</p>
      )}
      <Section title="What went wrong on purpose">
        <Story faults={faults} />
      </Section>
    </Page>
  );
}
