import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { MailPage as Mails, MailSummary } from "../../api/mail.ts";
import { plural } from "../../logic/format.ts";
import { addressLine } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { question } from "../../store/dialogs.ts";
import { go, route, setQuery } from "../../store/location.ts";
import { askStatus, status } from "../../store/status.ts";
import { useEvents } from "../../store/use-events.ts";
import { usePages } from "../../store/use-pages.ts";
import { Ago } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { RefusalNotice, Skeleton } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchField } from "../../ui/search-field.tsx";
import { Split } from "../../ui/split.tsx";
import { useAct } from "../../ui/use-act.ts";
import { VirtualList } from "../../ui/virtual-list.tsx";
import type { Column } from "../../ui/virtual-list.tsx";
import { InboundDialog } from "./inbound-dialog.tsx";
import { MailView } from "./mail-view.tsx";
import { NoMail } from "./no-mail.tsx";

const columns: readonly Column<MailSummary>[] = [
  { title: "State", cell: (mail) => (mail.isRead ? <span class="soft">read</span> : <Badge tone="accent">new</Badge>) },
  {
    title: "Subject",
    cell: (mail) => (
      <strong class="clipped" data-read={mail.isRead}>
        {mail.subject === "" ? "(no subject)" : mail.subject}
      </strong>
    ),
  },
  {
    title: "To",
    isWide: true,
    cell: (mail) => (
      <span class="clipped">
        {mail.direction === "inbound" && <Badge>inbound</Badge>} {addressLine(mail.to)}
      </span>
    ),
  },
  { title: "When", isWide: true, cell: (mail) => <Ago at={mail.at} /> },
];

const PAGE = 100;

/** The inbox: what the app sent, and what was sent to it. */
export function MailPage(): JSX.Element {
  const [id] = route.value.parts;
  const search = route.value.query.get("search") ?? "";
  const [isWriting, setWriting] = useState(false);
  const act = useAct();
  const list = usePages<MailSummary>(`${search}`, async (cursor) => {
    const page = await api.get<Mails>("mail", { search, after: cursor, limit: PAGE });
    return { items: page.mails, cursor: page.mails.length < PAGE ? null : (page.mails.at(-1)?.id ?? null) };
  });
  const changes = useEvents("mail", ["mail"]).length;
  const seen = useRef(changes);
  useEffect(() => {
    if (seen.current === changes) return;
    seen.current = changes;
    list.reload();
    void askStatus();
  }, [changes]);
  const close = (): void => go(href("mail", [], { search }));
  const changed = (): void => {
    list.reload();
    void askStatus();
  };
  const clear = (): void => {
    question.value = {
      title: "Delete all mail?",
      text: "Every mail of this inbox is deleted from this machine.",
      yes: "Delete all",
      isDangerous: true,
      done: () =>
        act.run("The inbox is empty", async () => {
          await api.post("mail/clear", {});
          close();
          changed();
        }),
    };
  };
  return (
    <Page
      title="Mail"
      isFull
      tools={
        <>
          <SearchField
            label="Search mail"
            placeholder="from: to: subject: has:attachment"
            value={search}
            onChange={(text) => setQuery({ search: text })}
          />
          <button type="button" class="button" onClick={() => setWriting(true)}>
            Simulate inbound
          </button>
          <button type="button" class="button danger" onClick={clear}>
            Clear
          </button>
        </>
      }
    >
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      {list.refusal !== undefined && <RefusalNotice refusal={list.refusal} onRetry={list.reload} />}
      {!list.isThere && list.refusal === undefined && <Skeleton rows={8} />}
      {list.isThere && list.length === 0 && <NoMail isSearched={search !== ""} />}
      {list.isThere && list.length > 0 && (
        <>
          <p class="list-note" aria-live="polite">
            {plural(status.value?.mail.unread ?? 0, "unread mail")}
          </p>
          <Split
            detail={id === undefined ? undefined : <MailView key={id} id={id} onChanged={changed} onClose={close} />}
            title="Mail"
            onClose={close}
          >
            <VirtualList
              label="Mail, newest first"
              source={list}
              columns={columns}
              layout="mail-list"
              onOpen={(mail) => go(href("mail", [mail.id], { search }))}
            />
          </Split>
        </>
      )}
      {isWriting && <InboundDialog onClose={() => setWriting(false)} onDone={changed} />}
    </Page>
  );
}
