import type { JSX } from "preact";
import { api } from "../../store/api.ts";
import { status } from "../../store/status.ts";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { Section } from "../../ui/section.tsx";
import { useAct } from "../../ui/use-act.ts";

const FAULTS: readonly {
  readonly fault: string;
  readonly title: string;
  readonly what: string;
  readonly with?: Readonly<Record<string, unknown>>;
}[] = [
  {
    fault: "trimLog",
    title: "Trim the log",
    what: "The op-log forgets all but its newest change; who comes back from further behind is seeded again.",
  },
  { fault: "evict", title: "Evict", what: "The object leaves memory; sockets have to come again." },
  {
    fault: "delayPokes",
    title: "Delay pokes",
    what: "The next ten pokes come two seconds late.",
    with: { ms: 2000, count: 10 },
  },
];

/** What can be made to go wrong, in development alone; each fault is seen in the timeline. */
export function FaultPanel({ object }: { readonly object: string }): JSX.Element | null {
  const act = useAct();
  if (status.value?.faults !== true) return null;
  return (
    <Section title="Faults">
      <p class="hint">In development only. What a client does then is what it will do when it really happens.</p>
      <ul class="choices">
        {FAULTS.map((fault) => (
          <li key={fault.fault}>
            <button
              type="button"
              class="button"
              disabled={act.isBusy}
              onClick={() =>
                act.run(`${fault.title}: done`, async () => {
                  await api.post("faults", { object, fault: fault.fault, ...fault.with });
                })
              }
            >
              {fault.title}
            </button>
            <span>{fault.what}</span>
          </li>
        ))}
      </ul>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
    </Section>
  );
}
