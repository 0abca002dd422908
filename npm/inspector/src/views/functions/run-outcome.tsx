import type { JSX } from "preact";
import type { RunResult } from "../../api/rows.ts";
import { ring, version } from "../../store/timeline.ts";
import { askTrace } from "../../store/trace.ts";
import { useResource } from "../../store/use-resource.ts";
import { OutcomeBadge } from "../../ui/badges.tsx";
import { Code } from "../../ui/code.tsx";
import { CallLink } from "../../ui/links.tsx";
import { pretty } from "../../ui/pretty.ts";
import { CallOps } from "../calls/call-ops.tsx";
import { PokeList } from "../pokes/poke-list.tsx";

/** What a run gave, wrote and told. Its events come a moment after its answer, so they are asked for as they arrive. */
export function RunOutcome({ ran }: { readonly ran: RunResult }): JSX.Element {
  const now = version.value;
  const isHeard = ran.call !== undefined && (ring.call(ran.call) ?? ring.request(ran.call)) !== undefined;
  const key = isHeard ? `${ran.call} ${now}` : undefined;
  const trace = useResource(key, () => askTrace({ call: ran.call ?? "" }));
  const known = trace.value;
  const object = known?.call?.object ?? known?.commit?.object ?? "";
  return (
    <div class="stack" role="status">
      <p>
        <OutcomeBadge outcome={ran.error?.code ?? "ok"} />{" "}
        {ran.call !== undefined && <CallLink call={ran.call}>the call, its ops and pokes</CallLink>}
      </p>
      {ran.error === undefined ? (
        <Code label="Result" text={ran.result === undefined ? "undefined" : pretty(ran.result)} />
      ) : (
        <p class="notice">{ran.error.message}</p>
      )}
      {known?.ops !== undefined && known.ops.length > 0 && (
        <>
          <h3>Ops</h3>
          <CallOps object={object} ops={known.ops} />
          <h3>Pokes</h3>
          <PokeList pokes={known.pokes ?? []} object={object} />
        </>
      )}
    </div>
  );
}
