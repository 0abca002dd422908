import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
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
import { CallLink, ShardLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { pretty } from "../../ui/pretty.ts";
import { Section } from "../../ui/section.tsx";
import { LogLine } from "../logs/log-line.tsx";
import { PokeList } from "../pokes/poke-list.tsx";
import { CallOps } from "./call-ops.tsx";

/** What made the call, also where it is no longer held. */
function Maker({ of: { call, parent } }: { readonly of: Trace }): JSX.Element {
  if (call?.parent === undefined) return <>–</>;
  const name = parent?.functionPath ?? (parent?.type === "request" ? parent.path : undefined);
  return <CallLink call={call.parent}>{name ?? <code>{call.parent}</code>}</CallLink>;
}

/** The calls that an action made, in the order in which they ended. */
function Children({ calls }: { readonly calls: readonly EventOf<"call">[] }): JSX.Element {
  return (
    <ol class="plain-list">
      {calls.map((call) => (
        <li key={call.n}>
          <time>{clock(call.at)}</time>{" "}
          <span>
            <Badge>{call.kind}</Badge> <CallLink call={call.call}>{call.functionPath}</CallLink>{" "}
            <OutcomeBadge outcome={call.outcome} /> {duration(call.ms)}
          </span>
        </li>
      ))}
    </ol>
  );
}

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
          ["Called by", <Maker key="parent" of={trace} />],
          ["Time", clock(told.at)],
          ["Took", duration(told.ms)],
        ]}
      />
      {call !== undefined && call !== null && (
        <Code label={call.isCut === true ? "Arguments (cut)" : "Arguments"} text={pretty(call.args ?? {})} />
      )}
      {trace.children !== undefined && trace.children.length > 0 && (
        <Section title="Calls">
          <Children calls={trace.children} />
        </Section>
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
