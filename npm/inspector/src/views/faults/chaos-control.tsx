import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { count } from "../../logic/format.ts";
import { api } from "../../store/api.ts";
import { askStatus, status } from "../../store/status.ts";
import { Ago } from "../../ui/badges.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Facts } from "../../ui/facts.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { Section } from "../../ui/section.tsx";
import { useAct } from "../../ui/use-act.ts";

/** Short enough to be typed again. */
const anySeed = (): number => Math.floor(Math.random() * 1_000_000);

/** Starts what a seed decides, and ends it. */
export function ChaosControl(): JSX.Element {
  const act = useAct();
  const field = useRef<HTMLInputElement>(null);
  const chaos = status.value?.chaos ?? null;
  const set = (seed: number | null): void =>
    act.run(seed === null ? "Chaos has ended" : `Chaos with seed ${seed}`, async () => {
      await api.post("chaos", { seed });
      await askStatus();
    });
  const start = (seed: number): void => {
    if (field.current !== null) field.current.value = String(seed);
    set(seed);
  };
  return (
    <Section title="Chaos">
      <p class="hint">
        One fault after the other, half a second to five seconds apart, as a seed decides. The same seed in the same
        situation is the same run: <code>lunora dev --chaos {chaos?.seed ?? 42}</code>
      </p>
      <Facts
        of={[
          [
            "State",
            chaos === null ? (
              <Badge key="state">off</Badge>
            ) : (
              <Badge key="state" tone="warn" icon="faults">
                playing
              </Badge>
            ),
          ],
          ["Seed", chaos === null ? "–" : <code key="seed">{chaos.seed}</code>],
          ["Step", chaos === null ? "–" : count(chaos.step)],
          ["Since", chaos === null ? "–" : <Ago key="since" at={chaos.startedAt} />],
        ]}
      />
      <form
        class="actions"
        onSubmit={(event) => {
          event.preventDefault();
          if (field.current !== null) set(field.current.valueAsNumber);
        }}
      >
        <label class="field">
          Seed
          <input
            ref={field}
            type="number"
            required
            min={0}
            max={Number.MAX_SAFE_INTEGER}
            step={1}
            defaultValue={String(chaos?.seed ?? 42)}
          />
        </label>
        <button type="submit" class="button primary" disabled={act.isBusy}>
          {chaos === null ? "Start" : "Start again"}
        </button>
        <button type="button" class="button" disabled={act.isBusy} onClick={() => start(anySeed())}>
          Start with any seed
        </button>
        <button type="button" class="button" disabled={act.isBusy || chaos === null} onClick={() => set(null)}>
          Stop
        </button>
      </form>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
    </Section>
  );
}
