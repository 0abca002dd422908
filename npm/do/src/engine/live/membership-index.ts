import type { KeySource } from "../column.ts";
import { documentOf, keyIn } from "../field-test.ts";
import type { FieldTest } from "../field-test.ts";
import type { RowChange } from "../footprint.ts";
import type { SqlKey } from "../sql.ts";
import type { StoredRow } from "../document.ts";
import type { Table } from "../table.ts";
import type { Membership } from "./membership.ts";

/** Most values of one column that a membership is found by; beyond, every change of the table visits it. */
const ANCHOR_VALUES = 64;

/** A column that has one of a few values in every member. */
interface Anchor {
  readonly source: KeySource;
  readonly oneOf: ReadonlySet<SqlKey>;
}

/** The test with the fewest values. */
function anchorOf(tests: readonly FieldTest[]): Anchor | undefined {
  let best: Anchor | undefined;
  for (const { source, oneOf } of tests) {
    if (oneOf === undefined || oneOf.size > ANCHOR_VALUES) continue;
    if (best === undefined || oneOf.size < best.oneOf.size) best = { source, oneOf };
  }
  return best;
}

interface AnchorColumn<Member> {
  readonly source: KeySource;
  readonly byValue: Map<SqlKey, Set<Membership<Member>>>;
}

interface TableMemberships<Member> {
  readonly columns: Map<string, AnchorColumn<Member>>;
  /** Without an anchor. */
  readonly rest: Set<Membership<Member>>;
}

/**
 * Finds the memberships that a change can matter to. A write visits those whose anchor has the
 * value that its row had or has, and those that have no anchor; not all of the table.
 */
export class MembershipIndex<Member> {
  readonly #tables = new Map<Table, TableMemberships<Member>>();
  readonly #byKey = new Map<string, Membership<Member>>();

  get(key: string): Membership<Member> | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#byKey.size;
  }

  add(membership: Membership<Member>): void {
    this.#byKey.set(membership.key, membership);
    for (const set of this.#places(membership)) set.add(membership);
  }

  remove(membership: Membership<Member>): void {
    this.#byKey.delete(membership.key);
    for (const set of this.#places(membership)) set.delete(membership);
    const anchor = anchorOf(membership.condition.tests);
    if (anchor === undefined) return;
    const column = this.#tables.get(membership.table)?.columns.get(anchor.source.field);
    for (const key of anchor.oneOf) if (column?.byValue.get(key)?.size === 0) column.byValue.delete(key);
  }

  #places(membership: Membership<Member>): Set<Membership<Member>>[] {
    let table = this.#tables.get(membership.table);
    if (table === undefined) this.#tables.set(membership.table, (table = { columns: new Map(), rest: new Set() }));
    const anchor = anchorOf(membership.condition.tests);
    if (anchor === undefined) return [table.rest];
    const { source, oneOf } = anchor;
    let column = table.columns.get(source.field);
    if (column === undefined) table.columns.set(source.field, (column = { source, byValue: new Map() }));
    const { byValue } = column;
    return Array.from(oneOf, (key) => {
      let set = byValue.get(key);
      if (set === undefined) byValue.set(key, (set = new Set()));
      return set;
    });
  }

  /** The memberships to ask, each with the changes to ask it about. The changes are of one table. */
  candidates(table: Table, changes: readonly RowChange[]): ReadonlyMap<Membership<Member>, readonly RowChange[]> {
    const found = new Map<Membership<Member>, RowChange[]>();
    const memberships = this.#tables.get(table);
    if (memberships === undefined) return found;
    for (const change of changes) {
      const images = [change.before, change.after].filter((image) => image !== undefined);
      const visit = (membership: Membership<Member>): void => {
        const known = found.get(membership);
        if (known?.at(-1) === change || !images.some((image) => membership.mayHave(image))) return;
        if (known === undefined) found.set(membership, [change]);
        else known.push(change);
      };
      memberships.rest.forEach(visit);
      for (const column of memberships.columns.values()) {
        for (const set of valuesOf(table, column, images)) set.forEach(visit);
      }
    }
    return found;
  }
}

/** The sets that a row of these images can be in. */
function valuesOf<Member>(
  table: Table,
  { source, byValue }: AnchorColumn<Member>,
  images: readonly StoredRow[],
): Iterable<Set<Membership<Member>>> {
  const sets = new Set<Set<Membership<Member>>>();
  for (const image of images) {
    const key = keyIn(source, documentOf(table, image));
    // Only SQLite knows what this value is equal to.
    if (key === undefined) return byValue.values();
    const set = byValue.get(key);
    if (set !== undefined) sets.add(set);
  }
  return sets;
}
