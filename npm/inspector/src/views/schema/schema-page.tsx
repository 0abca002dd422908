import type { JSX } from "preact";
import type { AppModel, TableModel } from "../../api/app-model.ts";
import type { Policies, PolicyUse } from "../../api/policies.ts";
import { api } from "../../store/api.ts";
import { appModel, appRefusal } from "../../store/app-model.ts";
import { status } from "../../store/status.ts";
import { useResource } from "../../store/use-resource.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Empty } from "../../ui/empty.tsx";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { pretty } from "../../ui/pretty.ts";
import { Section } from "../../ui/section.tsx";
import { FindingList } from "./finding-list.tsx";
import { PolicyBadge, PolicyList } from "./table-policies.tsx";

const EXAMPLE = `import { defineSchema, defineTable, v } from "lunorash/server";

export default defineSchema({ messages: defineTable({ body: v.string() }) });`;

interface TableProps {
  readonly table: TableModel;
  /** `undefined` till the worker has told them. */
  readonly policies: readonly PolicyUse[] | undefined;
}

function TableCard({ table, policies }: TableProps): JSX.Element {
  return (
    <article class="card">
      <h3>{table.name}</h3>
      <p>
        <Badge tone="accent">{table.tier}</Badge>{" "}
        {typeof table.shardBy === "string" && <Badge>sharded by {table.shardBy}</Badge>}{" "}
        {policies !== undefined && <PolicyBadge table={table} policies={policies} />}
      </p>
      {policies !== undefined && policies.length > 0 && <PolicyList policies={policies} />}
      <p>
        Fields: <code>{Object.keys(table.fields).join(", ") || "none"}</code>
      </p>
      {Object.keys(table.indexes).length > 0 && (
        <p>
          Indexes: <code>{Object.keys(table.indexes).join(", ")}</code>
        </p>
      )}
      <details>
        <summary>Validators and indexes</summary>
        <Code
          label={`${table.name}, as the toolchain reads it`}
          text={pretty({ fields: table.fields, indexes: table.indexes })}
        />
      </details>
    </article>
  );
}

/** The policies of each table, as the running app has them. */
function Tables({ model }: { readonly model: AppModel }): JSX.Element {
  const policies = useResource(`policies:${status.value?.generation}`, () => api.inspect<Policies>("policies", {}));
  const unread = policies.value?.unread ?? [];
  return (
    <>
      {policies.refusal !== undefined && <RefusalNotice refusal={policies.refusal} onRetry={policies.reload} />}
      {unread.map(({ name, error }) => (
        <p key={name} class="notice">
          <Badge tone="warn" icon="warning">
            not read
          </Badge>{" "}
          <code>{name}</code> could not be imported, and may ask more policies: {error}
        </p>
      ))}
      <div class="cards">
        {model.tables.map((table) => (
          <TableCard
            key={table.name}
            table={table}
            policies={policies.value?.policies.filter((policy) => policy.table === table.name)}
          />
        ))}
      </div>
    </>
  );
}

function Drift({ drift }: { readonly drift: AppModel["drift"] }): JSX.Element {
  if (drift.length === 0) return <p class="hint">The schema is as the baseline has it: nothing to migrate.</p>;
  return (
    <ul class="plain-list">
      {drift.map((change) => (
        <li key={change.text}>
          {change.isBreaking === true ? (
            <Badge tone="bad" icon="warning">
              breaking
            </Badge>
          ) : (
            <Badge tone={change.isBreaking === false ? "good" : "plain"}>
              {change.isBreaking === false ? "safe" : change.kind}
            </Badge>
          )}
          <span>{change.text}</span>
        </li>
      ))}
    </ul>
  );
}

/** Tables as they are declared, what differs from the baseline, what the advisor found. */
export function SchemaPage(): JSX.Element {
  const model = appModel.value;
  return (
    <Page title="Schema">
      {appRefusal.value !== undefined && <RefusalNotice refusal={appRefusal.value} />}
      {model === undefined && appRefusal.value === undefined && <Skeleton rows={8} />}
      {model !== undefined && (
        <>
          <Section title="Findings">
            <FindingList findings={model.findings} />
          </Section>
          <Section title="Drift">
            <Drift drift={model.drift} />
          </Section>
          <Section title="Tables">
            {model.tables.length === 0 && <Empty title="No table is declared" code={EXAMPLE} file="lunora/schema.ts" />}
            <Tables model={model} />
          </Section>
        </>
      )}
    </Page>
  );
}
