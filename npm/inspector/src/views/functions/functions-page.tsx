import type { JSX } from "preact";
import type { FunctionModel } from "../../api/app-model.ts";
import { href } from "../../logic/route.ts";
import { appModel, appRefusal } from "../../store/app-model.ts";
import { go, route, setQuery } from "../../store/location.ts";
import { Badge } from "../../ui/badge.tsx";
import { Empty } from "../../ui/empty.tsx";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { listOf } from "../../ui/list-source.ts";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { FunctionPage } from "./function-page.tsx";

const EXAMPLE = `export const list = query
  .input({ channelId: v.id("channels") })
  .handler(async ({ ctx, input }) => ctx.db.query("messages").where(input).collect());`;

const columns: readonly Column<FunctionModel>[] = [
  { title: "Function", cell: (model) => <strong class="clipped">{model.path}</strong> },
  { title: "Kind", cell: (model) => <Badge tone={model.kind === "mutation" ? "accent" : "plain"}>{model.kind}</Badge> },
  { title: "Visibility", isWide: true, cell: (model) => model.visibility },
  {
    title: "File",
    isWide: true,
    cell: (model) => (
      <code class="clipped">
        {model.file === undefined
          ? "–"
          : `${model.file}${model.line === undefined || model.line === null ? "" : `:${model.line}`}`}
      </code>
    ),
  },
];

function FunctionList(): JSX.Element {
  const search = route.value.query.get("search") ?? "";
  const model = appModel.value;
  const found = model?.functions.filter((one) => one.path.toLowerCase().includes(search.toLowerCase())) ?? [];
  return (
    <Page
      title="Functions"
      isFull
      tools={<SearchField label="Search functions" value={search} onChange={(text) => setQuery({ search: text })} />}
    >
      {model === undefined && appRefusal.value === undefined && <Skeleton rows={8} />}
      {appRefusal.value !== undefined && <RefusalNotice refusal={appRefusal.value} />}
      {model !== undefined && found.length === 0 && (
        <Empty
          title={search === "" ? "The app has no function yet" : "No function has this name"}
          code={EXAMPLE}
          file="lunora/messages.ts"
        >
          Whatever a file of lunora/ exports as a query, mutation or action is one.
        </Empty>
      )}
      {found.length > 0 && (
        <VirtualList
          label="Functions"
          source={listOf(found)}
          columns={columns}
          layout="functions-list"
          onOpen={(one) => go(href("functions", [one.path]))}
        />
      )}
    </Page>
  );
}

/** Functions of the app, or one to run. */
export function FunctionsPage(): JSX.Element {
  const [path] = route.value.parts;
  return path === undefined ? <FunctionList /> : <FunctionPage key={path} path={path} />;
}
