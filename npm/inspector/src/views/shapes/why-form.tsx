import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ShapeModel, Why } from "../../api/shards.ts";
import { api } from "../../store/api.ts";
import { route, setQuery } from "../../store/location.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { RefusalNotice } from "../../ui/loaded.tsx";
import { useAct } from "../../ui/use-act.ts";
import { ClauseTable } from "./clause-table.tsx";

function Verdict({ why }: { readonly why: Why }): JSX.Element {
  return (
    <div class="verdict" role="status">
      <p>
        {why.isMember ? (
          <Badge tone="good" icon="ok">
            The row is in the shape
          </Badge>
        ) : (
          <Badge tone="bad" icon="error">
            The row is not in the shape
          </Badge>
        )}
        {why.row === null && " There is no row with this id."}
      </p>
      <ClauseTable clauses={why.clauses} hasRow />
      {why.sql !== undefined && <Code label="SQL" text={why.sql} />}
    </div>
  );
}

/** Asks why a row is in a shape, or is not, clause by clause. */
export function WhyForm({
  object,
  shapes,
}: {
  readonly object: string;
  readonly shapes: readonly ShapeModel[];
}): JSX.Element {
  const { query } = route.value;
  const [why, setWhy] = useState<Why>();
  const act = useAct();
  const names = [...new Set(shapes.map((shape) => shape.name))];
  const name = query.get("shape") ?? names[0] ?? "";
  const chosen = shapes.find((shape) => shape.name === name);
  const ask = (data: FormData): void => {
    const userId = String(data.get("user"));
    setQuery({ shape: name, id: String(data.get("id")) });
    act.run("The verdict is there", async () => {
      const args = JSON.parse(String(data.get("args"))) as unknown;
      const identity = userId === "" ? null : { userId };
      setWhy(
        await api.inspect<Why>("why", {
          object,
          shape: name,
          args,
          table: chosen?.table,
          id: String(data.get("id")),
          identity,
        }),
      );
    });
  };
  return (
    <>
      <form
        class="form-grid"
        onSubmit={(event) => {
          event.preventDefault();
          ask(new FormData(event.currentTarget));
        }}
      >
        <label>
          Shape
          <select class="select" value={name} onChange={(event) => setQuery({ shape: event.currentTarget.value })}>
            {names.map((shape) => (
              <option key={shape}>{shape}</option>
            ))}
          </select>
        </label>
        <label>
          Row id
          <input name="id" required defaultValue={query.get("id") ?? ""} autocomplete="off" spellcheck={false} />
        </label>
        <label>
          Arguments, JSON
          <input
            key={name}
            name="args"
            required
            defaultValue={JSON.stringify(chosen?.args ?? {})}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <label>
          As user (empty: nobody)
          <input name="user" autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit" class="button primary" disabled={act.isBusy}>
          Why?
        </button>
      </form>
      {act.refusal !== undefined && <RefusalNotice refusal={act.refusal} />}
      {why !== undefined && <Verdict why={why} />}
    </>
  );
}
