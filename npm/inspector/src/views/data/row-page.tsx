import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RowHistory, WireDocument } from "../../api/rows.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { question } from "../../store/dialogs.ts";
import { useResource } from "../../store/use-resource.ts";
import { Empty } from "../../ui/empty.tsx";
import { Loaded, RefusalNotice } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { Table } from "../../ui/table.tsx";
import { useAct } from "../../ui/use-act.ts";
import { Value } from "../../ui/value.tsx";
import { EditDialog } from "./edit-dialog.tsx";
import { HistoryList } from "./history-list.tsx";

interface Props {
  readonly object: string;
  readonly table: string;
  readonly id: string;
}

/** What can be written: the platform's own fields cannot. */
const writable = (row: WireDocument): WireDocument =>
  Object.fromEntries(Object.entries(row).filter(([field]) => field !== "_id" && field !== "_creationTime"));

/** One row, and everything that was done to it, as far as the op-log goes back. */
export function RowPage({ object, table, id }: Props): JSX.Element {
  const read = useResource(`row:${object}:${table}:${id}`, () => api.inspect<RowHistory>("row", { object, table, id }));
  const [isEditing, setEditing] = useState(false);
  const act = useAct();
  const row = read.value?.row ?? null;
  const remove = (): void => {
    question.value = {
      title: "Delete the row?",
      text: `${id} of ${table} will be deleted by an admin mutation. Triggers run and subscribers are poked.`,
      yes: "Delete",
      isDangerous: true,
      done: () =>
        act.run("The row was deleted", async () => {
          await api.inspect("edit", { object, table, op: "delete", id });
          read.reload();
        }),
    };
  };
  return (
    <Page
      title={id}
      trail={[
        ["/data", "Data"],
        [href("data", [object]), shardLabel(object)],
        [href("data", [object, table]), table],
      ]}
      tools={
        <>
          <a class="button" href={href("shapes", [object], { id })}>
            Why in a shape?
          </a>
          <button type="button" class="button" disabled={row === null} onClick={() => setEditing(true)}>
            Edit
          </button>
          <button type="button" class="button danger" disabled={row === null} onClick={remove}>
            Delete
          </button>
        </>
      }
    >
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      <Loaded of={read}>
        {({ row: document, history }) => (
          <>
            {document === null ? (
              <Empty title="There is no such row">It was deleted, or never was; its history says which.</Empty>
            ) : (
              <Section title="Row">
                <Table
                  label="Fields"
                  head={["Field", "Value"]}
                  rows={Object.entries(document).map(([field, value]) => ({
                    key: field,
                    cells: [<strong key="field">{field}</strong>, <Value key="value" value={value} />],
                  }))}
                />
              </Section>
            )}
            <Section title="History">
              <HistoryList object={object} history={history} />
            </Section>
          </>
        )}
      </Loaded>
      {isEditing && row !== null && (
        <EditDialog
          edit={{ object, table, id, op: "replace" }}
          document={writable(row)}
          onClose={() => setEditing(false)}
          onDone={read.reload}
        />
      )}
    </Page>
  );
}
