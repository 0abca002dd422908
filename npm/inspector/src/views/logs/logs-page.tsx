import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import { clock } from "../../logic/format.ts";
import { route, setQuery } from "../../store/location.ts";
import { useAdded } from "../../store/use-added.ts";
import { useEvents } from "../../store/use-events.ts";
import { Empty } from "../../ui/empty.tsx";
import { Facts } from "../../ui/facts.tsx";
import { CallLink, ShardLink } from "../../ui/links.tsx";
import { newestFirst } from "../../ui/list-source.ts";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { Select } from "../../ui/select.tsx";
import { Split } from "../../ui/split.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { LevelBadge, LogLine } from "./log-line.tsx";

type Log = EventOf<"log">;

const EXAMPLE = `handler(async ({ ctx, input }) => {
  console.info("sending to", input.channelId);
});`;

const columns: readonly Column<Log>[] = [
  { title: "Time", cell: (log) => <time>{clock(log.at)}</time> },
  { title: "Level", cell: (log) => <LevelBadge level={log.level} /> },
  { title: "Text", cell: (log) => <span class="clipped log-text">{log.text}</span> },
  {
    title: "Call",
    isWide: true,
    cell: (log) =>
      log.call === undefined ? (
        <span class="soft">–</span>
      ) : (
        <CallLink call={log.call} isInList>
          {log.functionPath ?? log.call}
        </CallLink>
      ),
  },
];

function Detail({ log }: { readonly log: Log }): JSX.Element {
  return (
    <>
      <Facts
        of={[
          [
            "Call",
            log.call === undefined ? (
              "–"
            ) : (
              <CallLink key="call" call={log.call}>
                {log.functionPath ?? log.call}
              </CallLink>
            ),
          ],
          ["Shard", log.object === undefined ? "–" : <ShardLink key="shard" object={log.object} />],
        ]}
      />
      <LogLine log={log} />
    </>
  );
}

/** What the worker logged, each line with the call that wrote it. */
export function LogsPage(): JSX.Element {
  const { query } = route.value;
  const [search, level, n] = [
    query.get("search") ?? "",
    query.get("level") ?? "",
    Number(query.get("n") ?? Number.NaN),
  ];
  const wanted = search.toLowerCase();
  const logs = useEvents(
    `logs:${level}:${search}`,
    ["log"],
    (log) => (level === "" || log.level === level) && (wanted === "" || log.text.toLowerCase().includes(wanted)),
  );
  const added = useAdded(`${level}:${search}`, logs, (log) => log.n);
  const chosen = logs.find((log) => log.n === n);
  return (
    <Page
      title="Logs"
      isFull
      tools={
        <>
          <SearchField label="Search logs" value={search} onChange={(text) => setQuery({ search: text })} />
          <Select
            label="Level"
            value={level}
            options={[
              ["", "Every level"],
              ["error", "Errors"],
              ["warn", "Warnings"],
              ["info", "Infos"],
              ["log", "Logs"],
              ["debug", "Debug"],
            ]}
            onChange={(value) => setQuery({ level: value })}
          />
        </>
      }
    >
      {logs.length === 0 ? (
        <Empty
          title={search === "" && level === "" ? "Nothing was logged yet" : "No line fits"}
          {...(search === "" && level === "" ? { code: EXAMPLE, file: "lunora/messages.ts" } : {})}
        >
          What functions write to the console is here, joined to the call that wrote it.
        </Empty>
      ) : (
        <Split
          detail={chosen === undefined ? undefined : <Detail log={chosen} />}
          title="Log line"
          onClose={() => setQuery({ n: undefined })}
        >
          <VirtualList
            label="Log lines, newest first"
            source={newestFirst(logs)}
            prepended={added}
            columns={columns}
            layout="logs-list"
            tone={(log) => (log.level === "error" ? "bad" : log.level === "warn" ? "warn" : undefined)}
            onOpen={(log) => setQuery({ n: log.n })}
          />
        </Split>
      )}
    </Page>
  );
}
