import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RunResult } from "../../api/rows.ts";
import { api } from "../../store/api.ts";
import { appModel } from "../../store/app-model.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Facts } from "../../ui/facts.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { Page } from "../../ui/page.tsx";
import { pretty } from "../../ui/pretty.ts";
import { Section } from "../../ui/section.tsx";
import { useAct } from "../../ui/use-act.ts";
import { RunOutcome } from "./run-outcome.tsx";

/** A function: what it is, and a form that runs it as somebody. */
export function FunctionPage({ path }: { readonly path: string }): JSX.Element {
  const model = appModel.value?.functions.find((one) => one.path === path);
  const [ran, setRan] = useState<RunResult>();
  const [mistake, setMistake] = useState<string>();
  const act = useAct();
  const run = (data: FormData): void => {
    const userId = String(data.get("user"));
    let args: unknown;
    try {
      args = JSON.parse(String(data.get("args")));
    } catch (error) {
      setMistake(error instanceof Error ? error.message : String(error));
      return;
    }
    setMistake(undefined);
    act.run("It ran", async () => {
      setRan(
        await api.inspect<RunResult>("run", { functionPath: path, args, identity: userId === "" ? null : { userId } }),
      );
    });
  };
  return (
    <Page title={path} trail={[["/functions", "Functions"]]}>
      {model !== undefined && (
        <Facts
          of={[
            ["Kind", <Badge key="kind">{model.kind}</Badge>],
            ["Visibility", model.visibility],
            [
              "Runs in",
              <code key="address">
                {typeof model.address === "string" ? model.address : JSON.stringify(model.address ?? null)}
              </code>,
            ],
            ["File", <code key="file">{model.file ?? "–"}</code>],
          ]}
        />
      )}
      {model?.input !== undefined && model.input !== null && <Code label="Input" text={pretty(model.input)} />}
      <Section title="Run">
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            run(new FormData(event.currentTarget));
          }}
        >
          <label for="args">Arguments, JSON</label>
          <textarea id="args" name="args" rows={5} spellcheck={false} defaultValue="{}" />
          <label for="user">As user (empty: nobody)</label>
          <input id="user" name="user" autocomplete="off" spellcheck={false} />
          <div class="actions">
            <button type="submit" class="button primary" disabled={act.isBusy}>
              Run
            </button>
          </div>
        </form>
        {mistake !== undefined && (
          <p class="notice" role="alert">
            The arguments are no JSON: {mistake}
          </p>
        )}
        {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
        {ran !== undefined && <RunOutcome key={ran.call} ran={ran} />}
      </Section>
    </Page>
  );
}
