import type { PublicReference } from "@lunora/client";
import { decodeValue, functionReference } from "@lunora/protocol";
import type { Address, ResultOf } from "@lunora/protocol";

/** A query's result on its way from a server to a page: plain JSON, so that every framework can carry it. */
export interface Preloaded<Reference extends PublicReference<"query"> = PublicReference<"query">> {
  readonly path: string;
  readonly address: Address;
  /** Wire-encoded. */
  readonly args: unknown;
  /** Wire-encoded; absent for `undefined`. */
  readonly value?: unknown;
  /** Never present at run time. */
  readonly "~reference"?: Reference;
}

/** The reference that was preloaded. */
export function referenceOf<Reference extends PublicReference<"query">>(preloaded: Preloaded<Reference>): Reference {
  return functionReference<Reference>(preloaded.path, "query", preloaded.address);
}

/** The result that was preloaded, for rendering on the server. */
export function preloadedResult<Reference extends PublicReference<"query">>(
  preloaded: Preloaded<Reference>,
): ResultOf<Reference> {
  return decodeValue(preloaded.value) as ResultOf<Reference>;
}
