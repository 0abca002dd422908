import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import { bytes, clock, duration, plural } from "../../logic/format.ts";
import { PokeLink } from "../../ui/links.tsx";

/** Pokes in short, each a way to its page. */
export function PokeList({
  pokes,
  object,
}: {
  readonly pokes: readonly EventOf<"poke">[];
  readonly object: string;
}): JSX.Element {
  if (pokes.length === 0) return <p class="hint">Nobody was told: no subscription of a socket holds these rows.</p>;
  return (
    <ul class="plain-list">
      {pokes.slice(0, 50).map((poke) => (
        <li key={poke.n}>
          <PokeLink object={object} n={poke.n}>
            {clock(poke.at)} to <code>{poke.socket}</code>
          </PokeLink>
          <span class="soft">
            {plural(poke.subscriptions.length, "subscription")}, {bytes(poke.bytes)}, {duration(poke.ms)}
          </span>
        </li>
      ))}
      {pokes.length > 50 && <li class="soft">and {plural(pokes.length - 50, "more poke")}</li>}
    </ul>
  );
}
