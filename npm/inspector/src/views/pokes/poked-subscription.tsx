import type { JSX } from "preact";
import type { PokedSubscription as Subscription } from "../../api/events.ts";
import { plural } from "../../logic/format.ts";
import { shortId } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { Badge } from "../../ui/badge.tsx";

/** What a poke brought to one subscription. */
export function PokedSubscription({
  object,
  subscription,
}: {
  readonly object: string;
  readonly subscription: Subscription;
}): JSX.Element {
  const { rows = [] } = subscription;
  return (
    <div class="card">
      <p>
        <Badge tone="accent">{subscription.kind}</Badge> <strong>{subscription.name}</strong>{" "}
        <code class="soft">{subscription.id}</code>
      </p>
      <p>
        <Badge tone="good" icon="added">
          {plural(subscription.rowsIn, "row")} in
        </Badge>{" "}
        <Badge tone="bad" icon="removed">
          {plural(subscription.rowsOut, "row")} out
        </Badge>
      </p>
      {rows.length > 0 && (
        <ul class="chips" aria-label="Rows">
          {rows.map((id) => (
            <li key={id}>
              <a href={href("oplog", [object], { filter: `id:${id}` })} title={`Changes of ${id}`}>
                <code>{shortId(id)}</code>
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
