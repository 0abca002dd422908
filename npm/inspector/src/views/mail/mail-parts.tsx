import type { JSX } from "preact";
import type { MailDetail } from "../../api/mail.ts";
import { bytes } from "../../logic/format.ts";
import { api } from "../../store/api.ts";
import { useResource } from "../../store/use-resource.ts";
import { Code } from "../../ui/code.tsx";
import { Loaded, RefusalNotice } from "../../ui/loaded.tsx";
import { Table } from "../../ui/table.tsx";
import { useAct } from "../../ui/use-act.ts";
import { save } from "./save.ts";

/** Characters of a raw mail that are shown; the file has all. */
const SHOWN = 200_000;

export function HeaderTable({ mail }: { readonly mail: MailDetail }): JSX.Element {
  return (
    <Table
      label="Headers"
      head={["Header", "Value"]}
      rows={mail.headers.map(([name, value], index) => ({
        key: `${index}`,
        cells: [
          <strong key="name">{name}</strong>,
          <code key="value" class="wrapped">
            {value}
          </code>,
        ],
      }))}
    />
  );
}

export function RawText({ id }: { readonly id: string }): JSX.Element {
  const raw = useResource(`raw:${id}`, async () => (await api.blob(`mail/${encodeURIComponent(id)}/raw`)).text());
  return (
    <Loaded of={raw}>
      {(text) => (
        <Code
          label={text.length > SHOWN ? "The beginning; save it to have all" : "message/rfc822"}
          text={text.slice(0, SHOWN)}
        />
      )}
    </Loaded>
  );
}

export function PartTable({ mail }: { readonly mail: MailDetail }): JSX.Element {
  const act = useAct();
  return (
    <>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      <Table
        label="Parts"
        head={["Type", "Name", "Size", "Save"]}
        rows={mail.parts.map((part) => {
          const name = part.name ?? `part-${part.index}`;
          return {
            key: String(part.index),
            cells: [
              <code key="type">{part.type}</code>,
              part.name ?? "–",
              bytes(part.size),
              <button
                key="save"
                type="button"
                class="button small"
                aria-label={`Save ${name}`}
                onClick={() =>
                  act.run("Saved", () => save(`mail/${encodeURIComponent(mail.id)}/part/${part.index}`, name))
                }
              >
                Save
              </button>,
            ],
          };
        })}
      />
    </>
  );
}
