import { canonicalJson, encodeValue } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { RowChange } from "../footprint.ts";
import type { Table } from "../table.ts";
import { Membership, membershipKey } from "./membership.ts";
import { MembershipIndex } from "./membership-index.ts";
import { askPredicate } from "./shape-predicate.ts";
import type { Predicate, PredicateHost } from "./shape-predicate.ts";
import type { ShapeGroup, ShapeMembership, ShapeRequest, ShapeSubscription } from "./shape-subscription.ts";

/** The changes of a flush, by table, each row once. */
export type TableChanges = ReadonlyMap<Table, readonly RowChange[]>;

/** Stands for all tables. */
const ANY_TABLE = "";

/** Who shares which condition, and what has to be asked again when rows change. */
export class ShapeGroups {
  readonly #host: PredicateHost;
  readonly #groups = new Map<string, ShapeGroup>();
  /** Groups whose condition was made from rows of the table. */
  readonly #readers = new Map<string, Set<ShapeGroup>>();
  readonly #memberships = new MembershipIndex<ShapeSubscription>();

  constructor(host: PredicateHost) {
    this.#host = host;
  }

  get size(): { readonly groups: number; readonly memberships: number } {
    return { groups: this.#groups.size, memberships: this.#memberships.size };
  }

  /** The memberships that changes of the table can matter to, each with those changes. */
  candidates(table: Table, changes: readonly RowChange[]): ReadonlyMap<ShapeMembership, readonly RowChange[]> {
    return this.#memberships.candidates(table, changes);
  }

  /** What a caller would get. */
  ask({ shape, args }: Pick<ShapeRequest, "shape" | "args">, identity: Identity | null): Promise<Predicate> {
    return askPredicate(this.#host, shape, args, identity);
  }

  /** Those that somebody is subscribed to. */
  get all(): Iterable<ShapeGroup> {
    return this.#groups.values();
  }

  /** The group of everybody, or of the caller where the condition looks at who calls. */
  async find({ shape, args }: ShapeRequest, identity: Identity | null): Promise<ShapeGroup> {
    const common = `${shape.name}\n${canonicalJson(encodeValue(args))}\n`;
    const own = `${common}${canonicalJson(encodeValue(identity))}`;
    const known = this.#groups.get(common) ?? this.#groups.get(own);
    if (known !== undefined) return known;
    const { condition, parts, footprint } = await this.ask({ shape, args }, identity);
    const key = membershipKey(shape.projection, condition);
    const membership = this.#memberships.get(key) ?? new Membership<ShapeSubscription>(shape.projection, condition);
    return { key: footprint.readsIdentity ? own : common, footprint, parts, membership, subscriptions: new Set() };
  }

  join(subscription: ShapeSubscription, group: ShapeGroup): void {
    subscription.group = group;
    if (group.subscriptions.size === 0) {
      this.#groups.set(group.key, group);
      for (const table of tablesOf(group)) {
        const readers = this.#readers.get(table);
        if (readers === undefined) this.#readers.set(table, new Set([group]));
        else readers.add(group);
      }
    }
    group.subscriptions.add(subscription);
    const { membership } = group;
    if (membership.members.size === 0) this.#memberships.add(membership);
    membership.members.add(subscription);
  }

  leave(subscription: ShapeSubscription): void {
    const { group } = subscription;
    const { membership } = group;
    // Once: others may have made an equal group since.
    if (!group.subscriptions.delete(subscription)) return;
    membership.members.delete(subscription);
    if (membership.members.size === 0) this.#memberships.remove(membership);
    if (group.subscriptions.size > 0) return;
    this.#groups.delete(group.key);
    for (const table of tablesOf(group)) {
      const readers = this.#readers.get(table);
      readers?.delete(group);
      if (readers?.size === 0) this.#readers.delete(table);
    }
  }

  /**
   * Asks again for the conditions that were made from rows that have changed. Resolves to who has
   * another condition now, with the one before. Whoever cannot be answered is handed to `fail`.
   */
  async renew(
    changes: TableChanges,
    fail: (subscription: ShapeSubscription, error: unknown) => void,
  ): Promise<Map<ShapeSubscription, ShapeMembership>> {
    const moved = new Map<ShapeSubscription, ShapeMembership>();
    const subscriptions = this.#touched(changes).flatMap((group) => [...group.subscriptions]);
    // Out of all of them first: a group that still waits for its turn must not take anybody in.
    for (const subscription of subscriptions) this.leave(subscription);
    for (const subscription of subscriptions) {
      const before = subscription.group.membership;
      try {
        const group = await this.find(subscription, subscription.connection.identity);
        this.join(subscription, group);
        if (group.membership.key !== before.key) moved.set(subscription, before);
      } catch (error) {
        fail(subscription, error);
      }
    }
    return moved;
  }

  #touched(changes: TableChanges): ShapeGroup[] {
    const all = [...changes.values()].flat();
    const readers = new Set<ShapeGroup>();
    for (const name of [...Array.from(changes.keys(), (table) => table.name), ANY_TABLE])
      for (const group of this.#readers.get(name) ?? []) readers.add(group);
    return [...readers].filter(({ footprint }) => footprint.touches(all));
  }
}

function tablesOf({ footprint }: ShapeGroup): Iterable<string> {
  return footprint.readsEverything ? [ANY_TABLE] : footprint.tables;
}
