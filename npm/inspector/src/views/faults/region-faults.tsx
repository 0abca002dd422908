import type { JSX } from "preact";
import { api } from "../../store/api.ts";
import { status } from "../../store/status.ts";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { Section } from "../../ui/section.tsx";
import { useAct } from "../../ui/use-act.ts";

const SECONDS = 5;

/** Takes a region away for a while. */
export function RegionFaults(): JSX.Element {
  const act = useAct();
  const pinned = status.value?.jurisdictions ?? [];
  const regions = pinned.length === 0 ? [null] : pinned;
  return (
    <Section title="Regions">
      <ul class="choices">
        {regions.map((region) => (
          <li key={region}>
            <button
              type="button"
              class="button"
              disabled={act.isBusy}
              onClick={() =>
                act.run("Region failed", async () => {
                  await api.post("faults", { fault: "failRegion", region, ms: SECONDS * 1000 });
                })
              }
            >
              Fail {region ?? "what is not pinned"}
            </button>
            <span>The worker reaches no object there for {SECONDS} seconds.</span>
          </li>
        ))}
      </ul>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
    </Section>
  );
}
