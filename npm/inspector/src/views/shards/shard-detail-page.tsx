import type { JSX } from "preact";
import type { ShardDetail } from "../../api/shards.ts";
import { bytes, count } from "../../logic/format.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { keepSize } from "../../store/shard-sizes.ts";
import { useResource } from "../../store/use-resource.ts";
import { ActivityBadge, Ago, RegionBadge } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { RateChart } from "../../ui/rate-chart.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { FaultPanel } from "./fault-panel.tsx";
import { RateValue, SizeValue } from "./limits.tsx";

const WARNINGS: Readonly<Record<string, string>> = {
  size: "The shard holds more than 1 GB. Smaller shards are exported, migrated and moved faster.",
  rate: "More than 700 mutations per second: near what one object can do. More shards share the load.",
};

function Detail({ shard }: { readonly shard: ShardDetail }): JSX.Element {
  const tables = [...shard.tables].sort((one, other) => Number(one.isInternal) - Number(other.isInternal));
  return (
    <>
      {shard.warnings.map((code) => (
        <p key={code} class="notice">
          <Badge tone="warn" icon="warning">
            {code}
          </Badge>{" "}
          {WARNINGS[code]}
        </p>
      ))}
      <Facts
        of={[
          ["State", <ActivityBadge key="state" object={shard.name} />],
          ["Region", <RegionBadge key="region" region={shard.region} />],
          ["Size", <SizeValue key="size" bytes={shard.bytes} />],
          ["Sockets", count(shard.sockets)],
          ["Subscriptions", count(shard.subscriptions)],
          ["Mutations per second", <RateValue key="rate" rate={shard.mutationsPerSecond} />],
          ["Last write", <Ago key="write" at={shard.lastWriteAt} />],
          ["Op-log", `${count(shard.log.floor)} … ${count(shard.log.head)}, ${bytes(shard.log.bytes)}`],
          ["Epoch", <code key="epoch">{shard.log.epoch}</code>],
        ]}
      />
      <RateChart object={shard.name} />
      <Section title="Tables">
        <Table
          label="Tables"
          head={["Table", "Rows", "Kind"]}
          rows={tables.map((table) => ({
            key: table.name,
            cells: [
              table.isInternal ? (
                <code key="name">{table.name}</code>
              ) : (
                <a key="name" href={href("data", [shard.name, table.name])}>
                  {table.name}
                </a>
              ),
              `${count(table.rows)}${table.isAtLeast === true ? " or more" : ""}`,
              table.isInternal ? "internal" : "yours",
            ],
          }))}
        />
      </Section>
      <FaultPanel object={shard.name} />
    </>
  );
}

/** One shard. */
export function ShardDetailPage({ object }: { readonly object: string }): JSX.Element {
  const shard = useResource(`shard:${object}`, async () => {
    const detail = await api.inspect<ShardDetail>("shard", { object });
    keepSize(detail);
    return detail;
  });
  return (
    <Page
      title={shardLabel(object)}
      trail={[["/shards", "Shards"]]}
      tools={
        <>
          <a class="button" href={href("oplog", [object])}>
            Op-log
          </a>
          <a class="button" href={href("pokes", [object])}>
            Pokes
          </a>
          <a class="button" href={href("shapes", [object])}>
            Shapes
          </a>
          <a class="button" href={href("clients", [object])}>
            Clients
          </a>
          <button type="button" class="button" onClick={shard.reload}>
            Read again
          </button>
        </>
      }
    >
      <Loaded of={shard} rows={8}>
        {(value) => <Detail shard={value} />}
      </Loaded>
    </Page>
  );
}
