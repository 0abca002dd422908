import type { JSX } from "preact";
import { count } from "../logic/format.ts";
import { isMenuOpen } from "../store/dialogs.ts";
import { status, statusRefusal } from "../store/status.ts";
import { feedState, missed } from "../store/timeline.ts";
import type { Status } from "../api/status.ts";
import type { FeedState } from "../api/feed.ts";
import { Badge } from "../ui/badge.tsx";
import { Icon } from "../ui/icon.tsx";
import { PauseButton } from "../ui/pause-button.tsx";

function WorkerBadge({ worker }: { readonly worker: Status["worker"] }): JSX.Element {
  if (worker === "serving")
    return (
      <Badge tone="good" icon="ok">
        serving
      </Badge>
    );
  if (worker === "starting")
    return (
      <Badge tone="warn" icon="warning">
        starting
      </Badge>
    );
  return (
    <Badge tone="bad" icon="error">
      worker failed
    </Badge>
  );
}

const FEED: Readonly<Record<FeedState, JSX.Element>> = {
  connecting: <Badge icon="warning">connecting</Badge>,
  live: (
    <Badge tone="good" icon="pokes">
      live
    </Badge>
  ),
  lost: (
    <Badge tone="bad" icon="error">
      connection lost
    </Badge>
  ),
};

/** What runs, and whether the page hears of it. */
export function TopBar(): JSX.Element {
  const current = status.value;
  return (
    <div class="top-bar" role="region" aria-label="State">
      <button
        type="button"
        class="button small menu-button"
        aria-expanded={isMenuOpen.value}
        aria-controls="menu"
        onClick={() => (isMenuOpen.value = !isMenuOpen.value)}
      >
        <Icon name={isMenuOpen.value ? "close" : "menu"} /> Menu
      </button>
      <strong class="clipped app-name">{current?.app ?? "…"}</strong>
      {current !== undefined && <WorkerBadge worker={current.worker} />}
      {statusRefusal.value === undefined ? (
        FEED[feedState.value]
      ) : (
        <Badge tone="bad" icon="error" title={statusRefusal.value.message}>
          {statusRefusal.value.code}
        </Badge>
      )}
      {missed.value > 0 && (
        <Badge tone="warn" icon="warning">
          {count(missed.value)} missed
        </Badge>
      )}
      {current?.chaos != null && (
        <a href="/faults">
          <Badge tone="warn" icon="faults">
            chaos {current.chaos.seed}
          </Badge>
        </a>
      )}
      <span class="grow" />
      <PauseButton />
    </div>
  );
}
