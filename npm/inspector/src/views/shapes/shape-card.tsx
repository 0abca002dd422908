import type { JSX } from "preact";
import type { ShapeModel } from "../../api/shards.ts";
import { count, plural } from "../../logic/format.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { Value } from "../../ui/value.tsx";
import { ClauseTable } from "./clause-table.tsx";

/** A shape, with the arguments that its subscribers share. */
export function ShapeCard({ shape }: { readonly shape: ShapeModel }): JSX.Element {
  return (
    <article class="card">
      <h3>
        {shape.name} {shape.args !== undefined && <Value value={shape.args} />}
      </h3>
      <p>
        <Badge tone="accent">{shape.table}</Badge> <Badge>{plural(shape.subscribers ?? 0, "subscriber")}</Badge>{" "}
        {shape.members !== undefined && <Badge>{count(shape.members)} members</Badge>}
      </p>
      {shape.error !== undefined && (
        <p class="notice">
          <strong class="code">{shape.error.code}</strong> {shape.error.message}
        </p>
      )}
      {shape.columns !== undefined && <p class="hint">Columns: {shape.columns.join(", ")}</p>}
      {shape.predicate !== undefined && shape.predicate.length > 0 && (
        <ClauseTable clauses={shape.predicate} hasRow={false} />
      )}
      {shape.sql !== undefined && <Code label="SQL" text={shape.sql} />}
      {shape.subscribers === 0 && shape.error === undefined && (
        <p class="hint">Its condition is known once somebody subscribes, since it depends on who asks.</p>
      )}
    </article>
  );
}
