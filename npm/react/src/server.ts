import type { LunoraClient, PublicReference } from "@lunora/client";
import { encodeValue } from "@lunora/protocol";
import type { CallArguments } from "@lunora/protocol";

import type { Preloaded } from "./preloaded.ts";

export { preloadedResult } from "./preloaded.ts";
export type { Preloaded } from "./preloaded.ts";

/**
 * Runs a query over HTTP while a page is rendered on a server; `usePreloadedQuery` goes on with it in
 * the page. `client` is made for the request, with the visitor's token.
 */
export async function preloadQuery<Reference extends PublicReference<"query">>(
  client: LunoraClient,
  reference: Reference,
  ...args: CallArguments<Reference>
): Promise<Preloaded<Reference>> {
  const value = encodeValue(await client.query(reference, ...args));
  return {
    path: reference.path,
    address: reference.address,
    args: encodeValue(args[0] ?? {}),
    ...(value === undefined ? {} : { value }),
  };
}
