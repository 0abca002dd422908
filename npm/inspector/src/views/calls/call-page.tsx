import type { JSX } from "preact";
import type { Trace } from "../../api/status.ts";
import { clock, duration } from "../../logic/format.ts";
import { personLabel } from "../../logic/names.ts";
import { route } from "../../store/location.ts";
import { askTrace } from "../../store/trace.ts";
import { useResource } from "../../store/use-resource.ts";
import { OutcomeBadge, RegionBadge } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Empty } from "../../ui/empty.tsx";
import { Facts } from "../../ui/facts.tsx";
import { ShardLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { pretty } from "../../ui/pretty.ts";
import { Section } from "../../ui/section.tsx";
import { LogLine } from "../logs/log-line.tsx";
import { PokeList } from "../pokes/poke-list.tsx";
import { CallOps } from "./call-ops.tsx";

function Call({ trace }: { readonly trace: Trace }): JSX.Element {
  const { call, request } = trace;
  const object = call?.object ?? trace.commit?.object ?? request?.object;
  const told = call ?? request;
  if (told === undefined || told === null) return <Empty title="This call is no longer in the timeline" />;
  return (
    <>
      <Facts
        of={[
          ["Function", <strong key="function">{told.functionPath ?? "–"}</strong>],
          ["Kind", <Badge key="kind">{call?.kind ?? "request"}</Badge>],
          ["Outcome", <OutcomeBadge key="outcome" outcome={call?.outcome ?? request?.code ?? "ok"} />],
          ["Shard", object === undefined ? "–" : <ShardLink key="shard" object={object} />],
          ["Region", <RegionBadge key="region" region={told.region} />],
          ["User", personLabel(told.userId)],
          ["Client", call?.clientId === undefined ? "–" : <code key="client">{call.clientId}</code>],
          ["Time", clock(told.at)],
          ["Took", duration(told.ms)],
        ]}
      />
      {call !== undefined && call !== null && (
        <Code label={call.isCut === true ? "Arguments (cut)" : "Arguments"} text={pretty(call.args ?? {})} />
      )}
      <Section title="Ops">
        <CallOps object={object ?? ""} ops={trace.ops ?? []} />
      </Section>
      <Section title="Pokes">
        <PokeList pokes={trace.pokes ?? []} object={object ?? ""} />
      </Section>
      <Section title="Logs">
        {(trace.logs ?? []).length === 0 && <p class="hint">It logged nothing.</p>}
        {trace.logs?.map((log) => (
          <LogLine key={log.n} log={log} />
        ))}
      </Section>
    </>
  );
}

/** A call, what it wrote, who was told, what it logged. */
export function CallPage(): JSX.Element {
  const [id = ""] = route.value.parts;
  const trace = useResource(`call:${id}`, () => askTrace({ call: id }));
  return (
    <Page
      title={`Call ${id}`}
      tools={
        <button type="button" class="button" onClick={trace.reload}>
          Read again
        </button>
      }
    >
      <Loaded of={trace}>{(value) => <Call trace={value} />}</Loaded>
    </Page>
  );
}
