import type { JSX } from "preact";
import type { LogEntry } from "../../api/rows.ts";
import { clock } from "../../logic/format.ts";
import { difference } from "../../logic/difference.ts";
import { ring, version } from "../../store/timeline.ts";
import { OperationBadge } from "../../ui/badges.tsx";
import { DifferenceTable } from "../../ui/difference-table.tsx";
import { CallLink, OpLink } from "../../ui/links.tsx";

interface Props {
  readonly object: string;
  readonly history: readonly LogEntry[];
}

/** What was done to a row, newest first; each entry leads to the mutation that did it. */
export function HistoryList({ object, history }: Props): JSX.Element {
  // Read, so that a mutation that arrives late is linked.
  void version.value;
  if (history.length === 0)
    return <p class="hint">The op-log holds nothing of it: what was done is older than what is kept.</p>;
  return (
    <ol class="history">
      {history.map((entry) => {
        const call = ring.callAt(object, entry.seq);
        const changed = difference(entry.before, entry.after).filter((change) => change.kind !== "same");
        return (
          <li key={entry.seq} class="card">
            <p class="history-head">
              <OperationBadge op={entry.op} />
              <time>{clock(entry.at)}</time>
              <OpLink object={object} seq={entry.seq} />
              {call === undefined ? (
                <span class="soft">written before the inspector looked, or by no call</span>
              ) : (
                <span>
                  by <CallLink call={call.call}>{call.functionPath}</CallLink>
                </span>
              )}
            </p>
            <details>
              <summary>{changed.map((change) => change.field).join(", ")}</summary>
              <DifferenceTable before={entry.before} after={entry.after} />
            </details>
          </li>
        );
      })}
    </ol>
  );
}
