import type { JSX } from "preact";
import type { ShardDetail } from "../../api/shards.ts";
import { plural } from "../../logic/format.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { go, route } from "../../store/location.ts";
import { useResource } from "../../store/use-resource.ts";
import { Empty } from "../../ui/empty.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ObjectPicker } from "../../ui/object-picker.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { ChooseShard } from "../choose-shard.tsx";
import { RowPage } from "./row-page.tsx";
import { RowsPage } from "./rows-page.tsx";

function Tables({ object }: { readonly object: string }): JSX.Element {
  const shard = useResource(`shard:${object}`, () => api.inspect<ShardDetail>("shard", { object }));
  return (
    <Loaded of={shard}>
      {({ tables }) => {
        const own = tables.filter((table) => !table.isInternal);
        if (own.length === 0) return <Empty title="This shard has no table">Nothing was written to it yet.</Empty>;
        return (
          <Section title="Tables">
            <Table
              label="Tables"
              head={["Table", "Rows"]}
              rows={own.map((table) => ({
                key: table.name,
                cells: [
                  <a key="name" href={href("data", [object, table.name])}>
                    {table.name}
                  </a>,
                  plural(table.rows, "row"),
                ],
              }))}
            />
          </Section>
        );
      }}
    </Loaded>
  );
}

const choose = (name: string): void => go(href("data", name === "" ? [] : [name]));

/** Rows of a shard: its tables, a table, or a row. */
export function DataPage(): JSX.Element {
  const [object, table, id] = route.value.parts;
  if (object !== undefined && table !== undefined && id !== undefined)
    return <RowPage key={`${object} ${id}`} object={object} table={table} id={id} />;
  if (object !== undefined && table !== undefined)
    return <RowsPage key={`${object} ${table}`} object={object} table={table} />;
  return (
    <Page
      title={object === undefined ? "Data" : `Data of ${shardLabel(object)}`}
      {...(object === undefined ? {} : { trail: [["/data", "Data"]] as const })}
      tools={<ObjectPicker key={object ?? ""} value={object ?? ""} onChoose={choose} />}
    >
      {object === undefined ? <ChooseShard view="data" /> : <Tables key={object} object={object} />}
    </Page>
  );
}
