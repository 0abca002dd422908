import type { JSX } from "preact";
import type { CommittedChange } from "../../api/events.ts";
import { imageOf } from "../../logic/difference.ts";
import { OperationBadge } from "../../ui/badges.tsx";
import { DifferenceTable } from "../../ui/difference-table.tsx";
import { OpLink, RowLink } from "../../ui/links.tsx";

/** What a call wrote, each change with its rows before and after. */
export function CallOps({
  object,
  ops,
}: {
  readonly object: string;
  readonly ops: readonly CommittedChange[];
}): JSX.Element {
  if (ops.length === 0) return <p class="hint">It wrote nothing.</p>;
  return (
    <>
      {ops.map((op) => (
        <details key={op.seq} class="card" open={ops.length <= 3}>
          <summary>
            <OperationBadge op={op.op} /> {op.table} <code>{op.id}</code>
          </summary>
          <p class="op-links">
            <OpLink object={object} seq={op.seq} />{" "}
            <span>
              row <RowLink object={object} table={op.table} id={op.id} />
            </span>
          </p>
          {op.isCut === true ? (
            <p class="hint">The images were too long for the timeline; the op has them whole.</p>
          ) : (
            <DifferenceTable before={imageOf(op.before)} after={imageOf(op.after)} />
          )}
        </details>
      ))}
    </>
  );
}
