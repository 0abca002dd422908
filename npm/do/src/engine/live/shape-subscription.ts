import { LunoraError } from "@lunora/errors";
import { decodeValue, resolveAddress } from "@lunora/protocol";
import { parseFields } from "@lunora/values";

import type { Footprint } from "../footprint.ts";
import type { Schema } from "../schema.ts";
import { checkIds } from "../shard-scope.ts";
import type { ShardScope } from "../shard-scope.ts";
import type { Connection } from "./connection.ts";
import type { Membership } from "./membership.ts";
import type { CatalogShape } from "./shape-catalog.ts";
import type { ConditionParts } from "./shape-predicate.ts";

/** A shape with arguments. */
export interface ShapeRequest {
  readonly shape: CatalogShape;
  /** Decoded and validated. */
  readonly args: object;
  /** As they came. */
  readonly wireArgs: unknown;
}

/** A shape with arguments, as one caller, or every caller, has it. */
export interface ShapeGroup {
  /** Names shape and arguments, and the caller unless it was never looked at. */
  readonly key: string;
  readonly footprint: Footprint;
  /** What its condition was made from. */
  readonly parts: ConditionParts;
  readonly membership: ShapeMembership;
  readonly subscriptions: Set<ShapeSubscription>;
}

/** A shape that a socket is subscribed to. */
export interface ShapeSubscription extends ShapeRequest {
  readonly connection: Connection;
  readonly id: string;
  /** The id as JSON. */
  readonly idText: string;
  /** It is in it unless it waits for rows. */
  group: ShapeGroup;
  /** Where the client's view is; unknown after sleep. */
  checkpoint: number | undefined;
}

export type ShapeMembership = Membership<ShapeSubscription>;

/** Reads the arguments of a subscription. Throws `VALIDATION_ERROR`, or `SHARD_MISMATCH` when they name another shard. */
export function shapeRequest(
  { schema, scope }: { readonly schema: Schema; readonly scope: ShardScope },
  shape: CatalogShape,
  wireArgs: unknown = {},
): ShapeRequest {
  const decoded = decodeValue(wireArgs);
  if (typeof decoded === "object" && decoded !== null)
    checkIds(scope, schema, shape.registered.input, decoded as Record<string, unknown>);
  const args: object = parseFields(shape.registered.input, decoded);
  const target = resolveAddress(shape.entry.address, args as Record<string, unknown>);
  if (target.kind !== "object" || target.name !== scope.name) {
    const place = target.kind === "object" ? `\`${target.name}\`` : "no single shard";
    throw new LunoraError(
      "SHARD_MISMATCH",
      `shape \`${shape.name}\` with these arguments is in ${place}, and the socket is connected to \`${scope.name}\``,
    );
  }
  return { shape, args, wireArgs };
}
