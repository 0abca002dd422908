import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { MailDetail } from "../../api/mail.ts";
import { bytes } from "../../logic/format.ts";
import { addressLine } from "../../logic/names.ts";
import { api } from "../../store/api.ts";
import { announce } from "../../store/announcer.ts";
import { useResource } from "../../store/use-resource.ts";
import { Ago, RegionBadge } from "../../ui/badges.tsx";
import { Facts } from "../../ui/facts.tsx";
import { CallLink } from "../../ui/links.tsx";
import { Loaded, RefusalNotice } from "../../ui/loaded.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { useAct } from "../../ui/use-act.ts";
import { save } from "./save.ts";
import { HeaderTable, PartTable, RawText } from "./mail-parts.tsx";
import { RenderedMail } from "./rendered-mail.tsx";

interface Props {
  readonly id: string;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

function CopyButton({
  label,
  text,
}: {
  readonly label: string;
  readonly text: string | undefined;
}): JSX.Element | null {
  if (text === undefined) return null;
  return (
    <button
      type="button"
      class="button small"
      title={text}
      onClick={() => void navigator.clipboard.writeText(text).then(() => announce(`${label}: copied`))}
    >
      {label}
    </button>
  );
}

function Head({ mail }: { readonly mail: MailDetail }): JSX.Element {
  return (
    <Facts
      of={[
        ["From", mail.from],
        ["To", addressLine(mail.to)],
        ["When", <Ago key="when" at={mail.at} />],
        ["Size", bytes(mail.size)],
        [
          mail.direction === "inbound" ? "Taken by" : "Sent by",
          typeof mail.call === "string" ? (
            <CallLink key="call" call={mail.call}>
              {mail.functionPath ?? (mail.direction === "inbound" ? "email()" : mail.call)}
            </CallLink>
          ) : (
            (mail.functionPath ?? "–")
          ),
        ],
        ["Region", <RegionBadge key="region" region={mail.region} />],
      ]}
    />
  );
}

/** One mail. */
export function MailView({ id, onChanged, onClose }: Props): JSX.Element {
  const read = useResource(`mail:${id}`, () => api.get<MailDetail>(`mail/${encodeURIComponent(id)}`));
  const act = useAct();
  const isRead = read.value?.isRead;
  useEffect(() => {
    if (isRead !== false) return;
    act.run("Marked as read", async () => {
      await api.post("mail/read", { ids: [id] });
      onChanged();
    });
  }, [isRead]);
  const remove = (): void =>
    act.run("The mail was deleted", async () => {
      await api.post("mail/delete", { ids: [id] });
      onClose();
      onChanged();
    });
  return (
    <>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      <Loaded of={read}>
        {(mail) => (
          <>
            <h3>{mail.subject === "" ? "(no subject)" : mail.subject}</h3>
            <p class="actions">
              <CopyButton label="Copy first link" text={mail.links[0]} />
              <CopyButton label="Copy first code" text={mail.codes[0]} />
              <button
                type="button"
                class="button small"
                onClick={() => act.run("Saved", () => save(`mail/${encodeURIComponent(id)}/raw`, `${id}.eml`))}
              >
                Save
              </button>
              <button type="button" class="button small danger" onClick={remove}>
                Delete
              </button>
            </p>
            <Head mail={mail} />
            <Tabs
              label="Forms of the mail"
              tabs={[
                ["Rendered", () => <RenderedMail mail={mail} />],
                [
                  "Text",
                  () => (
                    <pre class="mail-text" tabIndex={0}>
                      {mail.text ?? "The mail has no text part."}
                    </pre>
                  ),
                ],
                ["Headers", () => <HeaderTable mail={mail} />],
                ["Raw", () => <RawText id={id} />],
                [`Parts (${mail.parts.length})`, () => <PartTable mail={mail} />],
              ]}
            />
          </>
        )}
      </Loaded>
    </>
  );
}
