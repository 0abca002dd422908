import { canonicalJson, encodeValue } from "@lunora/protocol";

import type { Loose } from "./loose.ts";
import { matches } from "./row-oracle.ts";
import type { Groups, Membership, Scenario, ScenarioShape, ScenarioTable } from "./shape-scenario.ts";

type Row = Record<string, Loose>;

/** All rows of a scenario as plain objects, and what every shape of it means. */
export class ShapeOracle {
  readonly rows: ReadonlyMap<string, Map<string, Row>>;
  readonly members = new Map<string, Membership>();

  constructor({ tables }: Scenario) {
    this.rows = new Map(tables.map(({ name }) => [name, new Map()]));
  }

  of(table: ScenarioTable): Map<string, Row> {
    return this.rows.get(table.name) as Map<string, Row>;
  }

  readonly groups: Groups = (user) =>
    [...this.members.values()].filter((member) => member.user === user).map(({ text }) => text);

  /** The condition of a shape for a caller, as it is now; `false`: no row. */
  conditionOf(shape: ScenarioShape, user: string | null): Loose {
    const where = shape.meaning(this.groups, user);
    return where === false ? false : equalToSomething(where);
  }

  /** Ids and canonical rows of a shape, for a caller. */
  contentOf(shape: ScenarioShape, user: string | null): Map<string, string> {
    const found = new Map<string, string>();
    const where = this.conditionOf(shape, user);
    for (const [id, row] of this.of(shape.table)) {
      if (where !== false && isMember(row, where)) found.set(id, canonicalRow(row, shape.columns));
    }
    return found;
  }
}

/** In a shape nothing is equal to `null`. */
function equalToSomething(where: Loose): Loose {
  if (Array.isArray(where)) return where.map(equalToSomething);
  if (typeof where !== "object" || where === null || where instanceof ArrayBuffer) return where;
  if (where.eq === null) return { in: [] };
  return Object.fromEntries(Object.entries(where).map(([key, part]) => [key, equalToSomething(part)]));
}

/** Whether the row, which is not marked as deleted, is one that the condition means. */
export function isMember(row: Row | undefined, where: Loose): boolean {
  return row !== undefined && where !== false && row["deletedAt"] === undefined && matches(row, where);
}

/** The row as a view of the shape holds it. */
export function canonicalRow(row: Row, columns: readonly string[] | undefined): string {
  const chosen =
    columns === undefined
      ? row
      : Object.fromEntries(
          Object.entries(row).filter(([column]) => column.startsWith("_") || columns.includes(column)),
        );
  return canonicalJson(encodeValue(chosen));
}
