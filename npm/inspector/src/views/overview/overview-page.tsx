import type { JSX } from "preact";
import { bytes, clock, count, duration, plural } from "../../logic/format.ts";
import { appModel } from "../../store/app-model.ts";
import { status } from "../../store/status.ts";
import { useEvents } from "../../store/use-events.ts";
import { Badge } from "../../ui/badge.tsx";
import { Empty } from "../../ui/empty.tsx";
import { Facts } from "../../ui/facts.tsx";
import { CallLink, ShardLink } from "../../ui/links.tsx";
import { Skeleton } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { RateChart } from "../../ui/rate-chart.tsx";
import { Section } from "../../ui/section.tsx";
import { FindingList } from "../schema/finding-list.tsx";

function Newest(): JSX.Element {
  const commits = useEvents("overview", ["commit"]);
  if (commits.length === 0)
    return <Empty title="Nothing was written yet">Open the app and write something: it is here within a blink.</Empty>;
  return (
    <ul class="plain-list">
      {commits
        .slice(-8)
        .toReversed()
        .map((commit) => (
          <li key={commit.n}>
            <time>{clock(commit.at)}</time>
            <ShardLink object={commit.object} />
            <span>{plural(commit.toSeq - commit.fromSeq, "change")}</span>
            {commit.calls[0] !== undefined && (
              <CallLink call={commit.calls[0].call}>{commit.calls[0].functionPath}</CallLink>
            )}
          </li>
        ))}
    </ul>
  );
}

function State(): JSX.Element {
  const current = status.value;
  if (current === undefined) return <Skeleton rows={4} />;
  return (
    <Facts
      of={[
        [
          "App",
          current.url === null ? (
            current.app
          ) : (
            <a key="url" href={current.url} target="_blank" rel="noreferrer">
              {current.app}
            </a>
          ),
        ],
        ["Lunora", current.version],
        ["Reloads", count(current.generation)],
        ["Up", duration(current.uptimeMs)],
        ["Pinned to", current.jurisdictions.length === 0 ? "nothing" : current.jurisdictions.join(", ")],
        ["Timeline", `${count(current.timeline.entries)} events, ${bytes(current.timeline.bytes)}`],
        [
          "Dropped",
          current.timeline.dropped === 0 ? (
            "nothing"
          ) : (
            <Badge key="dropped" tone="warn" icon="warning">
              {count(current.timeline.dropped)}
            </Badge>
          ),
        ],
        [
          "Mail",
          <a key="mail" href="/mail">
            {count(current.mail.count)}, {count(current.mail.unread)} unread
          </a>,
        ],
      ]}
    />
  );
}

/** What runs and what happens, on one page. */
export function OverviewPage(): JSX.Element {
  const findings = appModel.value?.findings ?? [];
  return (
    <Page title="Overview">
      <State />
      <RateChart object="*" />
      <Section title="Newest commits" tools={<a href="/oplog">All of them</a>}>
        <Newest />
      </Section>
      {findings.length > 0 && (
        <Section title={`Findings (${findings.length})`} tools={<a href="/schema">Schema</a>}>
          <FindingList findings={findings.slice(0, 3)} />
        </Section>
      )}
    </Page>
  );
}
