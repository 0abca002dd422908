import type { JSX } from "preact";
import type { Residency } from "../../api/residency.ts";
import { bytes, clock, count, plural } from "../../logic/format.ts";
import { api } from "../../store/api.ts";
import { useEvents } from "../../store/use-events.ts";
import { useResource } from "../../store/use-resource.ts";
import { Badge } from "../../ui/badge.tsx";
import { RegionBadge } from "../../ui/badges.tsx";
import { Empty } from "../../ui/empty.tsx";
import { CallLink } from "../../ui/links.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";

const EXAMPLE = "export default defineSchema({ messages: defineTable({ body: v.string() }) }).jurisdiction('eu');";

function Crossings(): JSX.Element {
  const crossings = useEvents("crossings", ["request"], (request) => request.crossing !== undefined);
  if (crossings.length === 0) return <p class="hint">No request has crossed a region since the inspector looks.</p>;
  return (
    <Table
      label="Crossings"
      head={["Time", "From", "To", "Call"]}
      rows={crossings
        .slice(-50)
        .toReversed()
        .map((request) => ({
          key: String(request.n),
          cells: [
            <time key="time">{clock(request.at)}</time>,
            <RegionBadge key="from" region={request.crossing?.from} />,
            <RegionBadge key="to" region={request.crossing?.to} />,
            <CallLink key="call" call={request.call}>
              {request.functionPath ?? request.path}
            </CallLink>,
          ],
        }))}
    />
  );
}

function Stored({ residency }: { readonly residency: Residency }): JSX.Element {
  const rows = residency.classes.flatMap((one) =>
    one.stored.length === 0
      ? [
          {
            key: one.class,
            cells: [
              <strong key="class">{one.class}</strong>,
              <RegionBadge key="region" region={one.region} />,
              "–",
              "–",
              "no data on this machine",
            ],
          },
        ]
      : one.stored.map((stored) => ({
          key: `${one.class} ${stored.folder}`,
          cells: [
            <strong key="class">{one.class}</strong>,
            <RegionBadge key="region" region={stored.region} />,
            plural(stored.objects, "object"),
            bytes(stored.bytes),
            <span key="folder">
              <code>{stored.folder}</code> {!stored.reachable && <LeftBehind />}
            </span>,
          ],
        })),
  );
  return <Table label="On disk" head={["Class", "Region", "Objects", "Size", "Folder"]} rows={rows} />;
}

function LeftBehind(): JSX.Element {
  return (
    <Badge tone="bad" icon="warning" title="The declaration does not lead there any more">
      left behind
    </Badge>
  );
}

function StoredRows({ stored }: { readonly stored: Residency["tables"][number]["stored"] }): JSX.Element {
  if (stored.length === 0) return <span class="soft">none</span>;
  return (
    <ul class="plain-list stored-rows">
      {stored.map((one) => (
        <li key={`${one.server} ${one.region} ${one.isCopy}`}>
          <RegionBadge region={one.region} /> {one.isCopy && "copied for subscribers: "}
          {plural(one.rows, "row")} in {plural(one.objects, "object")}, {bytes(one.bytes)} ({one.server}){" "}
          {!one.reachable && <LeftBehind />}
        </li>
      ))}
    </ul>
  );
}

function Databases({ databases }: { readonly databases: NonNullable<Residency["databases"]> }): JSX.Element {
  return (
    <Table
      label="Databases"
      head={["Database", "Rows", "Size", "File"]}
      rows={databases.map(({ server, database, file, bytes: size, tables }) => ({
        key: file,
        cells: [
          <strong key="database">{database}</strong>,
          Object.entries(tables)
            .map(([table, rows]) => `${table}: ${count(rows)}`)
            .join(", "),
          bytes(size),
          <span key="file">
            <code>{file}</code> ({server})
          </span>,
        ],
      }))}
    />
  );
}

/** Where data is pinned, and where it lies. */
export function ResidencyPage(): JSX.Element {
  const residency = useResource("residency", () => api.get<Residency>("residency"));
  return (
    <Page
      title="Residency"
      tools={
        <button type="button" class="button" onClick={residency.reload}>
          Read again
        </button>
      }
    >
      <Loaded of={residency}>
        {(value) => (
          <>
            {value.jurisdiction === null ? (
              <Empty title="The schema pins nothing" code={EXAMPLE} file="lunora/schema.ts">
                A jurisdiction keeps every object, and with it all rows, in a region. It is emulated here: each region
                has a folder and a process of its own.
              </Empty>
            ) : (
              <p class="lead">
                Everything is pinned to <RegionBadge region={value.jurisdiction} />.
              </p>
            )}
            <Section title="On disk">
              <Stored residency={value} />
            </Section>
            <Section title={`Tables (${count(value.tables.length)})`}>
              <Table
                label="Tables"
                head={["Table", "Tier", "Held by", "Region", "Rows on this machine"]}
                rows={value.tables.map((table) => ({
                  key: table.table,
                  cells: [
                    <strong key="table">{table.table}</strong>,
                    table.tier,
                    table.heldBy,
                    <RegionBadge key="region" region={table.region} />,
                    <StoredRows key="rows" stored={table.stored} />,
                  ],
                }))}
              />
            </Section>
            {value.databases !== undefined && value.databases.length > 0 && (
              <Section title="D1 databases, which nothing pins">
                <Databases databases={value.databases} />
              </Section>
            )}
            <Section title="Crossings">
              <Crossings />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
