import type { JSX } from "preact";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { go, route } from "../../store/location.ts";
import { ObjectPicker } from "../../ui/object-picker.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { setQuery } from "../../store/location.ts";
import { AllOps } from "./all-ops.tsx";
import { FilteredLog } from "./filtered-log.tsx";
import { ShardLog } from "./shard-log.tsx";

/** The log of row changes: of one shard from its beginning, or of all since the inspector looks. */
export function OpLogPage(): JSX.Element {
  const { parts, query } = route.value;
  const [object] = parts;
  const filter = query.get("filter") ?? "";
  return (
    <Page
      title={object === undefined ? "Op-log" : `Op-log of ${shardLabel(object)}`}
      {...(object === undefined
        ? {}
        : {
            trail: [
              ["/oplog", "All shards"],
              [href("shards", [object]), shardLabel(object)],
            ] as const,
          })}
      isFull
      tools={
        <>
          <SearchField
            label="Filter by table, id or op"
            value={filter}
            onChange={(text) => setQuery({ filter: text })}
          />
          <ObjectPicker
            key={object ?? ""}
            value={object ?? ""}
            all="All shards"
            onChoose={(name) => go(href("oplog", name === "" ? [] : [name]))}
          />
        </>
      }
    >
      {object === undefined && <AllOps filter={filter} />}
      {object !== undefined && filter === "" && <ShardLog key={object} object={object} />}
      {object !== undefined && filter !== "" && (
        <FilteredLog key={`${object} ${filter}`} object={object} filter={filter} />
      )}
    </Page>
  );
}
