import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { RowPage, WireDocument } from "../../api/rows.ts";
import { count } from "../../logic/format.ts";
import { shardLabel, shortId } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { rowColumns } from "../../logic/row-columns.ts";
import { rowFilter } from "../../logic/row-filter.ts";
import { api } from "../../store/api.ts";
import { appModel } from "../../store/app-model.ts";
import { go, route, setQuery } from "../../store/location.ts";
import { usePages } from "../../store/use-pages.ts";
import { Empty } from "../../ui/empty.tsx";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { Select } from "../../ui/select.tsx";
import { Value } from "../../ui/value.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { EditDialog } from "./edit-dialog.tsx";

const orderOf = (sort: string): readonly [string, string] | undefined => {
  if (sort === "") return undefined;
  return sort.startsWith("-") ? [sort.slice(1), "desc"] : [sort, "asc"];
};

/** Rows of one table of one shard. */
export function RowsPage({ object, table }: { readonly object: string; readonly table: string }): JSX.Element {
  const { query } = route.value;
  const [text, sort] = [query.get("filter") ?? "", query.get("sort") ?? ""];
  const filter = useMemo(() => rowFilter(text), [text]);
  const [isInserting, setInserting] = useState(false);
  const [total, setTotal] = useState<number>();
  const isWrong = filter.kind === "mistake";
  const order = orderOf(sort);
  const list = usePages<WireDocument>(isWrong ? undefined : `${text} ${sort}`, async (cursor) => {
    const page = await api.inspect<RowPage>("rows", {
      object,
      table,
      limit: 100,
      ...(cursor === undefined ? {} : { cursor }),
      ...(filter.kind === "where" ? { filter: filter.where } : {}),
      ...(order === undefined ? {} : { orderBy: [{ [order[0]]: order[1] }] }),
    });
    setTotal(page.total);
    return { items: page.rows, cursor: page.cursor };
  });
  const declared = Object.keys(appModel.value?.tables.find((model) => model.name === table)?.fields ?? {});
  const loaded = Array.from({ length: Math.min(20, list.length) }, (_, index) => list.at(index)).filter(
    (row) => row !== undefined,
  );
  const names = rowColumns(declared, loaded);
  const columns = names.map((name, index): Column<WireDocument> => ({
    title: name,
    isWide: index > 1,
    cell: (row) =>
      name === "_id" ? (
        <code title={String(row["_id"])}>{shortId(String(row["_id"]))}</code>
      ) : (
        <span class="clipped">
          <Value value={row[name]} />
        </span>
      ),
  }));
  return (
    <Page
      title={table}
      trail={[
        ["/data", "Data"],
        [href("data", [object]), shardLabel(object)],
      ]}
      isFull
      tools={
        <>
          <SearchField
            label="Filter rows"
            placeholder="author = Ada and likes > 3"
            value={text}
            onChange={(value) => setQuery({ filter: value })}
          />
          <Select
            label="Sort"
            value={sort}
            options={[
              ["", "Usual order"],
              ...names.flatMap(
                (name) =>
                  [
                    [name, `${name} ↑`],
                    [`-${name}`, `${name} ↓`],
                  ] as const,
              ),
            ]}
            onChange={(value) => setQuery({ sort: value })}
          />
          <button type="button" class="button" onClick={() => setInserting(true)}>
            Insert
          </button>
        </>
      }
    >
      {filter.kind === "mistake" && (
        <p class="notice" role="alert">
          {filter.message}
        </p>
      )}
      {list.refusal !== undefined && <RefusalNotice refusal={list.refusal} onRetry={list.reload} />}
      {!list.isThere && list.refusal === undefined && !isWrong && <Skeleton rows={10} />}
      {list.isThere && list.length === 0 && (
        <Empty title={text === "" ? "The table is empty" : "No row fits"}>
          Filters are written as in author = Ada and likes &gt; 3.
        </Empty>
      )}
      {list.isThere && list.length > 0 && (
        <>
          {total !== undefined && <p class="list-note">{count(total)} rows in the table</p>}
          <VirtualList
            label={`Rows of ${table}`}
            source={list}
            columns={columns}
            layout={`rows-list columns-${names.length}`}
            onOpen={(row) => go(href("data", [object, table, String(row["_id"])]))}
          />
        </>
      )}
      {isInserting && (
        <EditDialog
          edit={{ object, table, op: "insert" }}
          document={{}}
          onClose={() => setInserting(false)}
          onDone={list.reload}
        />
      )}
    </Page>
  );
}
