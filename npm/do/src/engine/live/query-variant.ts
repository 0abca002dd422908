import { canonicalJson, encodeValue } from "@lunora/protocol";
import type { Identity } from "@lunora/server";

import type { Footprint } from "../footprint.ts";
import type { Connection } from "./connection.ts";
import type { LiveAnswer } from "./live-answer.ts";

/** One subscription of one socket. */
export interface Subscriber {
  readonly connection: Connection;
  readonly id: string;
  variant: QueryVariant;
  /** What its client has; `undefined`: unknown. */
  sent: LiveAnswer | undefined;
}

/**
 * A query with its arguments, as one identity sees it, or as all do when it never looked at who
 * asks: run once for all its subscribers.
 */
export class QueryVariant {
  readonly group: QueryGroup;
  /** `undefined`: the same for every identity. */
  readonly identityKey: string | undefined;
  readonly subscribers: Set<Subscriber> = new Set();
  /** What the last run came to; `undefined`: it has not run since the object woke. */
  answer: LiveAnswer | undefined;
  footprint: Footprint | undefined;
  /** When another run may come to something else without a change, epoch milliseconds. */
  retryAt: number = Infinity;

  constructor(group: QueryGroup, identityKey: string | undefined) {
    this.group = group;
    this.identityKey = identityKey;
  }

  /** Whether the answer is that of the present rows: flushes keep it so. */
  isCurrent(now: number): boolean {
    return this.answer !== undefined && now < this.retryAt;
  }
}

/** A query with its arguments. It has one variant for all identities, or one for each. */
export class QueryGroup {
  readonly key: string;
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
  shared: QueryVariant | undefined;
  readonly byIdentity: Map<string, QueryVariant> = new Map();

  constructor(key: string, functionPath: string, args: unknown) {
    this.key = key;
    this.functionPath = functionPath;
    this.args = args;
  }

  get isEmpty(): boolean {
    return this.shared === undefined && this.byIdentity.size === 0;
  }

  /** The variant of an identity, made when there is none. */
  of(identityKey: string): QueryVariant {
    let variant = this.byIdentity.get(identityKey);
    if (variant === undefined) this.byIdentity.set(identityKey, (variant = new QueryVariant(this, identityKey)));
    return variant;
  }
}

export function groupKey(functionPath: string, args: unknown): string {
  return `${functionPath}\u0000${canonicalJson(args)}`;
}

const identityKeys = new WeakMap<Identity, string>();

/** One text for equal identities, all claims included: a function can look at any of them. */
export function keyOfIdentity(identity: Identity | null): string {
  if (identity === null) return "";
  let key = identityKeys.get(identity);
  if (key === undefined) identityKeys.set(identity, (key = canonicalJson(encodeValue(identity))));
  return key;
}
