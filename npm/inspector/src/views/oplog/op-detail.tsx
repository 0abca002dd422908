import type { JSX } from "preact";
import type { Trace } from "../../api/status.ts";
import type { LogEntry } from "../../api/rows.ts";
import { clock, plural } from "../../logic/format.ts";
import { personLabel } from "../../logic/names.ts";
import { askTrace } from "../../store/trace.ts";
import { useResource } from "../../store/use-resource.ts";
import { OperationBadge, OutcomeBadge } from "../../ui/badges.tsx";
import { Code } from "../../ui/code.tsx";
import { DifferenceTable } from "../../ui/difference-table.tsx";
import { Facts } from "../../ui/facts.tsx";
import { CallLink, RowLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { pretty } from "../../ui/pretty.ts";
import { PokeList } from "../pokes/poke-list.tsx";

/** What can be said of a change whose mutation is not known. */
function unknownCause(commit: Trace["commit"]): string {
  if (commit?.by === "admin") return "An admin wrote it, by hand or by an import.";
  if (commit?.by === "sweep") return "It expired, and the sweep took it away.";
  if (commit?.omittedCalls !== undefined) {
    const writer = commit.omittedCalls === 1 ? "A mutation" : `One of ${plural(commit.omittedCalls, "mutation")}`;
    return `${writer} of this commit wrote it, in a second with more of them than are told one by one: which one is not known.`;
  }
  return "It was written before the inspector began to look: who wrote it is not known.";
}

function Cause({ trace, object }: { readonly trace: Trace; readonly object: string }): JSX.Element {
  const { call, commit } = trace;
  if (call === undefined || call === null) return <p class="hint">{unknownCause(commit)}</p>;
  return (
    <>
      <Facts
        of={[
          [
            "Mutation",
            <CallLink key="call" call={call.call}>
              {call.functionPath}
            </CallLink>,
          ],
          ["Outcome", <OutcomeBadge key="outcome" outcome={call.outcome} />],
          ["User", personLabel(call.userId)],
          ["Client", call.clientId === undefined ? "–" : <code key="client">{call.clientId}</code>],
        ]}
      />
      <Code label="Arguments" text={pretty(call.args ?? {})} />
      <h3>Pokes</h3>
      <PokeList pokes={trace.pokes ?? []} object={object} />
    </>
  );
}

/** One change of a row: before and after, who wrote it, who was told. */
export function OpDetail({ object, entry }: { readonly object: string; readonly entry: LogEntry }): JSX.Element {
  const trace = useResource(`trace:${object}:${entry.seq}`, () => askTrace({ object, seq: entry.seq }));
  return (
    <>
      <Facts
        of={[
          ["Op", <OperationBadge key="op" op={entry.op} />],
          ["Time", clock(entry.at)],
          ["Table", entry.table],
          ["Row", <RowLink key="row" object={object} table={entry.table} id={entry.id} />],
        ]}
      />
      <DifferenceTable before={entry.before} after={entry.after} />
      <h3>Caused by</h3>
      <Loaded of={trace} rows={3}>
        {(value) => <Cause trace={value} object={object} />}
      </Loaded>
    </>
  );
}
