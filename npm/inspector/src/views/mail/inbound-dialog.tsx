import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { InboundOutcome } from "../../api/mail.ts";
import { api } from "../../store/api.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { pretty } from "../../ui/pretty.ts";
import { CallLink } from "../../ui/links.tsx";
import { useAct } from "../../ui/use-act.ts";
import { LogLine } from "../logs/log-line.tsx";

function Logs({ logs }: { readonly logs: InboundOutcome["logs"] }): JSX.Element {
  if (logs === undefined) return <p class="hint">The worker has not told in time what the handler logged.</p>;
  if (logs.length === 0) return <p class="hint">The handler has logged nothing.</p>;
  return (
    <section aria-label="Log lines of the handler">
      {logs.map((log) => (
        <LogLine key={log.n} log={log} />
      ))}
    </section>
  );
}

function Outcome({ outcome: { logs, call, ...outcome } }: { readonly outcome: InboundOutcome }): JSX.Element {
  const isAccepted = outcome.outcome === "accepted";
  return (
    <div role="status">
      <p>
        <Badge tone={isAccepted ? "good" : "bad"} icon={isAccepted ? "ok" : "error"}>
          {outcome.outcome}
        </Badge>{" "}
        {outcome.reason} {call !== undefined && <CallLink call={call}>what it did</CallLink>}
      </p>
      {call !== undefined && <Logs logs={logs} />}
      <Code label="Outcome" text={pretty(outcome)} />
    </div>
  );
}

/** Sends a mail into the worker's `email()` and shows what became of it. */
export function InboundDialog({
  onClose,
  onDone,
}: {
  readonly onClose: () => void;
  readonly onDone: () => void;
}): JSX.Element {
  const [outcome, setOutcome] = useState<InboundOutcome>();
  const act = useAct();
  const send = (data: FormData): void =>
    act.run("The worker has decided", async () => {
      setOutcome(await api.post<InboundOutcome>("mail/inbound", Object.fromEntries(data)));
      onDone();
    });
  return (
    <Dialog title="Simulate inbound mail" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          send(new FormData(event.currentTarget));
        }}
      >
        <label for="from">From</label>
        <input id="from" name="from" type="email" required />
        <label for="to">To</label>
        <input id="to" name="to" type="email" required />
        <label for="subject">Subject</label>
        <input id="subject" name="subject" />
        <label for="text">Text</label>
        <textarea id="text" name="text" rows={5} />
        {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
        {outcome !== undefined && <Outcome outcome={outcome} />}
        <div class="actions">
          <button type="submit" class="button primary" disabled={act.isBusy}>
            Send
          </button>
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}
