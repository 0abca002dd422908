import type { StoredRow } from "../document.ts";
import { fingerprint } from "../fingerprint.ts";
import { Membership, membershipKey } from "../live/membership.ts";
import type { Condition } from "../live/membership.ts";
import { MembershipIndex } from "../live/membership-index.ts";
import { RowProjection } from "../live/row-projection.ts";
import type { SqlStorage } from "../sql.ts";
import type { Table } from "../table.ts";

/** A condition whose rows are copied. */
export interface MirroredCondition {
  readonly key: string;
  readonly membership: Membership;
  /** Settles when all its rows are there, or cannot be had; absent once they are. */
  arrival: PromiseWithResolvers<void> | undefined;
  /** When somebody last needed it, epoch milliseconds. */
  neededAt: number;
}

const projections = new WeakMap<Table, RowProjection>();

function wholeRows(table: Table): RowProjection {
  let projection = projections.get(table);
  if (projection === undefined) projections.set(table, (projection = new RowProjection(table, undefined)));
  return projection;
}

const keys = new WeakMap<Condition, string>();

/** Equal for equal conditions on one table, whatever columns their subscribers see. */
export function keyOf(table: Table, condition: Condition): string {
  let key = keys.get(condition);
  if (key === undefined) keys.set(condition, (key = fingerprint(membershipKey(wholeRows(table), condition))));
  return key;
}

/** Which rows are copied: those that at least one of these conditions holds for. */
export class MirrorConditions {
  readonly #byKey = new Map<string, MirroredCondition>();
  readonly #index = new MembershipIndex<unknown>();

  get size(): number {
    return this.#byKey.size;
  }

  get all(): Iterable<MirroredCondition> {
    return this.#byKey.values();
  }

  /** Tables that have one. */
  get tables(): readonly Table[] {
    return [...new Set(Array.from(this.#byKey.values(), ({ membership }) => membership.table))];
  }

  /** Whether the rows of one are on their way. */
  get hasWaiting(): boolean {
    for (const { arrival } of this.#byKey.values()) if (arrival !== undefined) return true;
    return false;
  }

  get(key: string): MirroredCondition | undefined {
    return this.#byKey.get(key);
  }

  add(table: Table, condition: Condition, arrival: MirroredCondition["arrival"], now: number): MirroredCondition {
    const key = keyOf(table, condition);
    const added = { key, membership: new Membership(wholeRows(table), condition), arrival, neededAt: now };
    this.#byKey.set(key, added);
    this.#index.add(added.membership);
    return added;
  }

  remove({ key, membership }: MirroredCondition): void {
    this.#byKey.delete(key);
    this.#index.remove(membership);
  }

  /** Those of the rows that are to be copied. */
  kept(storage: SqlStorage, table: Table, rows: readonly StoredRow[]): ReadonlySet<StoredRow> {
    const kept = new Set<StoredRow>();
    const changes = rows.map((after) => ({ table, id: after.id, before: undefined, after }));
    for (const [membership, candidates] of this.#index.candidates(table, changes)) {
      const undecided = candidates.flatMap(({ after }) => (after === undefined || kept.has(after) ? [] : [after]));
      for (const row of membership.having(storage, undecided)) kept.add(row as StoredRow);
    }
    return kept;
  }
}
