import type { JSX } from "preact";
import type { Clause } from "../../api/shards.ts";
import { Badge } from "../../ui/badge.tsx";
import { Table } from "../../ui/table.tsx";
import { Value } from "../../ui/value.tsx";

const SOURCES: Readonly<Record<Clause["source"], string>> = {
  where: "the shape",
  policy: "a row policy",
  softDelete: "rows marked as deleted",
};

interface Told {
  readonly clause: Clause;
  readonly depth: number;
}

const flat = (clauses: readonly Clause[], depth: number): Told[] =>
  clauses.flatMap((clause) => [{ clause, depth }, ...flat(clause.parts ?? [], depth + 1)]);

function Holds({ holds }: { readonly holds: boolean | null }): JSX.Element {
  if (holds === null) return <span class="soft">–</span>;
  return holds ? (
    <Badge tone="good" icon="ok">
      holds
    </Badge>
  ) : (
    <Badge tone="bad" icon="error">
      does not hold
    </Badge>
  );
}

/** Clauses of a condition, all of which have to hold; what a combination consists of stands below it. */
export function ClauseTable({
  clauses,
  hasRow,
}: {
  readonly clauses: readonly Clause[];
  readonly hasRow: boolean;
}): JSX.Element {
  const rows = flat(clauses, 0).map(({ clause, depth }, index) => ({
    key: `${index}`,
    cells: [
      <code key="clause" class="clause" data-depth={Math.min(depth, 4)}>
        {clause.clause}
      </code>,
      ...(hasRow ? [<Value key="value" value={clause.value} />, <Holds key="holds" holds={clause.holds} />] : []),
      SOURCES[clause.source],
    ],
  }));
  return (
    <Table label="Clauses" head={["Clause", ...(hasRow ? ["The row has", "Verdict"] : []), "Asked by"]} rows={rows} />
  );
}
