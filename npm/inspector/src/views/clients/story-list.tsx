import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import { faultCause, faultDetails } from "../../logic/fault-text.ts";
import { clock, plural } from "../../logic/format.ts";
import { personLabel } from "../../logic/names.ts";
import { useEvents } from "../../store/use-events.ts";
import { Badge } from "../../ui/badge.tsx";
import type { Tone } from "../../ui/badge.tsx";
import { FaultBadge } from "../../ui/fault-badge.tsx";

type Story = EventOf<"socket" | "subscription" | "watermark" | "fault">;

const SHOWN = 50;

const TONES: Readonly<Record<string, Tone>> = {
  opened: "good",
  resumed: "good",
  began: "good",
  reseeded: "warn",
  refused: "bad",
  closed: "plain",
};

function Line({ event }: { readonly event: Story }): JSX.Element {
  switch (event.type) {
    case "socket":
      return (
        <>
          <Badge tone={TONES[event.state] ?? "plain"}>socket {event.state}</Badge> <code>{event.socket}</code> of{" "}
          {personLabel(event.userId)}
          {event.code !== undefined && ` with ${event.code} ${event.reason ?? ""}`}
        </>
      );
    case "subscription":
      return (
        <>
          <Badge tone={TONES[event.state] ?? "plain"}>
            {event.kind} {event.state}
          </Badge>{" "}
          {event.name} of <code>{event.socket}</code>
          {event.cause !== undefined && (
            <>
              {" "}
              because of <code>{event.cause}</code>
            </>
          )}
          {event.rows !== undefined && `, ${plural(event.rows, "row")}`}
        </>
      );
    case "watermark": {
      const [first] = event.clients;
      const others = event.clients.length - 1;
      if (first === undefined) return <Badge>watermark</Badge>;
      return (
        <>
          <Badge tone={first.outcome === undefined ? "plain" : "warn"}>{first.outcome ?? "watermark"}</Badge>{" "}
          {first.clientId} at {first.lastMutationId}
          {others > 0 && ` and ${plural(others, "other client")}`}
        </>
      );
    }
    case "fault":
      return (
        <>
          <FaultBadge event={event} /> {event.state}, by {faultCause(event)}
          {faultDetails(event) !== "" && `: ${faultDetails(event)}`}
        </>
      );
  }
}

/** What sockets and subscriptions of a shard went through, newest first: resumed, or seeded again and why. */
export function StoryList({ object }: { readonly object: string }): JSX.Element {
  const events = useEvents(
    `story:${object}`,
    ["socket", "subscription", "watermark", "fault"],
    (event) => event.object === object,
  );
  if (events.length === 0) return <p class="hint">Nothing since the inspector looks.</p>;
  return (
    <ol class="plain-list">
      {events
        .slice(-SHOWN)
        .toReversed()
        .map((event) => (
          <li key={event.n}>
            <time>{clock(event.at)}</time>{" "}
            <span>
              <Line event={event} />
            </span>
          </li>
        ))}
    </ol>
  );
}
