import type { JSX } from "preact";
import type { ShardPage, ShardSummary } from "../../api/shards.ts";
import { bytes, count } from "../../logic/format.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { now } from "../../store/clock.ts";
import { go, route, setQuery } from "../../store/location.ts";
import { sizes, sizesVersion, wantSizes } from "../../store/shard-sizes.ts";
import { rates } from "../../store/timeline.ts";
import { usePages } from "../../store/use-pages.ts";
import { ActivityBadge, Ago, RegionBadge } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Empty } from "../../ui/empty.tsx";
import type { ListSource } from "../../ui/list-source.ts";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { KnownRows, KnownSize, RateValue } from "./limits.tsx";
import { ShardDetailPage } from "./shard-detail-page.tsx";

const EXAMPLE = `export default defineSchema({
  messages: defineTable({ channelId: v.id("channels"), body: v.string() })
    .shardBy("channelId"),
});`;

const columns: readonly Column<ShardSummary>[] = [
  { title: "Shard", cell: (shard) => <strong class="clipped">{shardLabel(shard.name)}</strong> },
  {
    title: "State",
    isWide: true,
    cell: ({ name, activity }) => <ActivityBadge object={name} lastEventAt={activity?.lastEventAt} />,
  },
  { title: "Tier", isWide: true, cell: (shard) => <Badge>{shard.tier ?? "–"}</Badge> },
  {
    title: "Region",
    isWide: true,
    cell: ({ activity }) =>
      activity === null ? <span class="soft">–</span> : <RegionBadge region={activity.region} />,
  },
  { title: "Size", isNumber: true, cell: ({ name }) => <KnownSize size={sizes.get(name)} /> },
  { title: "Rows", isWide: true, isNumber: true, cell: ({ name }) => <KnownRows size={sizes.get(name)} /> },
  { title: "Sockets", isWide: true, isNumber: true, cell: ({ activity }) => count(activity?.sockets ?? 0) },
  {
    title: "Ops/s",
    isNumber: true,
    cell: ({ name, activity }) => (
      <RateValue rate={Math.max(activity?.opsPerSecond ?? 0, rates.current(name, now.value))} />
    ),
  },
  { title: "Last write", isWide: true, cell: ({ activity }) => <Ago at={activity?.lastWriteAt} /> },
];

function ShardList(): JSX.Element {
  const search = route.value.query.get("search") ?? "";
  const list = usePages(`shards:${search}`, async (cursor) => {
    const page = await api.get<ShardPage>("shards", { search, cursor, limit: 200 });
    return { items: page.shards, cursor: page.cursor };
  });
  // Read, so that the list is drawn again when a size has come.
  void sizesVersion.value;
  const source: ListSource<ShardSummary> = {
    length: list.length,
    at: list.at,
    want: (first, end) => {
      list.want?.(first, end);
      const seen = Array.from({ length: end - first }, (_, index) => list.at(first + index));
      wantSizes(seen.filter((shard) => shard !== undefined));
    },
  };
  const isEmpty = list.isThere && list.length === 0;
  return (
    <Page
      title="Shards"
      isFull
      tools={<SearchField label="Search shards" value={search} onChange={(text) => setQuery({ search: text })} />}
    >
      {list.refusal !== undefined && <RefusalNotice refusal={list.refusal} onRetry={list.reload} />}
      {!list.isThere && list.refusal === undefined && <Skeleton rows={10} />}
      {isEmpty && search !== "" && (
        <Empty title="No shard has this name">Names begin with the table, as in messages:general.</Empty>
      )}
      {isEmpty && search === "" && (
        <Empty title="No shard yet" code={EXAMPLE} file="lunora/schema.ts">
          A shard is one Durable Object: it comes to be when something is first written to it. A table with `shardBy`
          has one for each value.
        </Empty>
      )}
      {list.isThere && !isEmpty && (
        <VirtualList
          label={`Shards, sizes over ${bytes(2 ** 30)} and rates over 700 per second are marked`}
          source={source}
          columns={columns}
          layout="shard-list"
          onOpen={(shard) => go(href("shards", [shard.name]))}
        />
      )}
    </Page>
  );
}

/** Every shard by its name, or one of them. */
export function ShardsPage(): JSX.Element {
  const [object] = route.value.parts;
  return object === undefined ? <ShardList /> : <ShardDetailPage key={object} object={object} />;
}
