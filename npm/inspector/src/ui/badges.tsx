import type { JSX } from "preact";
import { distance } from "../logic/format.ts";
import { now } from "../store/clock.ts";
import { lastHeard } from "../store/timeline.ts";
import { Badge } from "./badge.tsx";

/** The runtime lets an object go from memory after about this long without work, milliseconds. */
const HIBERNATES_AFTER = 10_000;

/** What a row change was. */
export function OperationBadge({ op }: { readonly op: string }): JSX.Element {
  if (op === "insert")
    return (
      <Badge tone="good" icon="added">
        insert
      </Badge>
    );
  if (op === "delete")
    return (
      <Badge tone="bad" icon="removed">
        delete
      </Badge>
    );
  return (
    <Badge tone="accent" icon="changed">
      {op}
    </Badge>
  );
}

/** How a call ended. */
export function OutcomeBadge({ outcome }: { readonly outcome: string }): JSX.Element {
  return outcome === "ok" ? (
    <Badge tone="good" icon="ok">
      ok
    </Badge>
  ) : (
    <Badge tone="bad" icon="error">
      {outcome}
    </Badge>
  );
}

/** Where data is pinned to. */
export function RegionBadge({ region }: { readonly region: string | null | undefined }): JSX.Element {
  return region === null || region === undefined ? (
    <span class="soft">not pinned</span>
  ) : (
    <Badge tone="accent" icon="residency">
      {region}
    </Badge>
  );
}

/** Whether an object is in memory, as far as what was heard of it says. */
export function ActivityBadge({
  object,
  lastEventAt,
}: {
  readonly object: string;
  readonly lastEventAt?: number | null | undefined;
}): JSX.Element {
  const heard = lastHeard.get(object) ?? lastEventAt ?? undefined;
  const isAwake = heard !== undefined && now.value - heard < HIBERNATES_AFTER;
  return isAwake ? (
    <Badge tone="good" icon="awake" title="It worked within the last ten seconds">
      awake
    </Badge>
  ) : (
    <Badge
      icon="asleep"
      title={heard === undefined ? "Nothing was heard of it" : `Last heard ${distance(heard, now.value)}`}
    >
      hibernated
    </Badge>
  );
}

/** A moment, as a distance from now. */
export function Ago({ at }: { readonly at: number | null | undefined }): JSX.Element {
  if (at === null || at === undefined) return <span class="soft">never</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {distance(at, now.value)}
    </time>
  );
}
