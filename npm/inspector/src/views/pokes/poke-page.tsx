import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import type { EventPage } from "../../api/status.ts";
import { bytes, clock, count, duration } from "../../logic/format.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { ring } from "../../store/timeline.ts";
import { useResource } from "../../store/use-resource.ts";
import { Empty } from "../../ui/empty.tsx";
import { Facts } from "../../ui/facts.tsx";
import { CallLink, OpLink, ShardLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { PokedSubscription } from "./poked-subscription.tsx";

/** Positions that are listed at most. */
const LISTED = 20;

function Poke({ poke }: { readonly poke: EventOf<"poke"> }): JSX.Element {
  const positions = Array.from(
    { length: Math.min(LISTED, poke.toSeq - poke.fromSeq) },
    (_, index) => poke.toSeq - index,
  );
  const calls =
    poke.calls ??
    [...new Set(positions.map((seq) => ring.callAt(poke.object, seq)?.call))].filter((call) => call !== undefined);
  return (
    <>
      <Facts
        of={[
          ["Shard", <ShardLink key="shard" object={poke.object} />],
          [
            "Socket",
            <a key="socket" href={href("clients", [poke.object], { socket: poke.socket })}>
              <code>{poke.socket}</code>
            </a>,
          ],
          ["Time", clock(poke.at)],
          ["From commit to hand-over", duration(poke.ms)],
          ["Size", bytes(poke.bytes)],
          ["Messages", count(poke.frames)],
        ]}
      />
      <Section title="Caused by">
        {calls.length === 0 && <p class="hint">The calls are no longer in the timeline.</p>}
        <ul class="plain-list">
          {calls.map((call) => (
            <li key={call}>
              <CallLink call={call}>{ring.call(call)?.functionPath ?? call}</CallLink>
            </li>
          ))}
        </ul>
        <p class="op-links">
          {positions.map((seq) => (
            <OpLink key={seq} object={poke.object} seq={seq} />
          ))}
        </p>
      </Section>
      <Section title="What it brought">
        {poke.subscriptions.map((subscription) => (
          <PokedSubscription key={subscription.id} object={poke.object} subscription={subscription} />
        ))}
      </Section>
    </>
  );
}

/** One poke. */
export function PokePage({ object, n }: { readonly object: string; readonly n: number }): JSX.Element {
  const poke = useResource(`poke:${n}`, async () => {
    const known = ring.events.find((event) => event.n === n);
    const found = known ?? (await api.get<EventPage>("events", { after: n - 1, limit: 1 })).events[0];
    return { found: found?.n === n && found.type === "poke" ? found : undefined };
  });
  return (
    <Page
      title={`Poke ${n}`}
      trail={[
        ["/pokes", "Pokes"],
        [href("pokes", [object]), shardLabel(object)],
      ]}
    >
      <Loaded of={poke}>
        {({ found }) =>
          found === undefined ? <Empty title="This poke is no longer in the timeline" /> : <Poke poke={found} />
        }
      </Loaded>
    </Page>
  );
}
