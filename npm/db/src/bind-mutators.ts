import type { LunoraClient, MutatorContext, PublicReference } from "@lunora/client";
import type { ArgumentsOf, CallArguments, ResultOf } from "@lunora/protocol";
import type { Collection } from "@tanstack/db";

import type { LunoraCollectionUtils } from "./collection-options.ts";
import { tableOf } from "./mutator-table.ts";
import type { MutatorTable } from "./mutator-table.ts";
import { MutatorTransaction } from "./mutator-transaction.ts";

/** A collection made from `lunoraCollectionOptions`. */
// oxlint-disable-next-line typescript/no-explicit-any -- a collection is invariant in its row
export type LunoraCollection = Collection<any, string, LunoraCollectionUtils, any, any>;

/** The rows of a collection. */
type CollectionRow<Of extends LunoraCollection> =
  Of extends Collection<infer Row, string, LunoraCollectionUtils> ? Row : never;

/** Collections by the names that mutators know them by. */
export type LunoraCollections = Readonly<Record<string, LunoraCollection>>;

/** What the client half of a mutator works on: a table for each collection. */
export type MutatorTables<Collections extends LunoraCollections> = {
  readonly [Name in keyof Collections]: MutatorTable<CollectionRow<Collections[Name]>>;
};

/** The two halves of a mutator. */
export interface MutatorDefinition<
  Reference extends PublicReference<"mutation">,
  Collections extends LunoraCollections,
> {
  /** The server half, `api.mutators.<name>`. */
  readonly mutation: Reference;
  /**
   * The client half. Runs at once, and again over each new state until the server has decided, so it
   * must depend on its arguments alone. May be async, and then awaits its tables alone: it is shown
   * when it has ended.
   */
  readonly apply: (
    tables: MutatorTables<Collections>,
    args: ArgumentsOf<Reference>,
    context: Pick<MutatorContext, "mutationId" | "now">,
  ) => unknown;
}

/** What `bindMutators` makes of definitions: functions that begin a transaction. */
export type BoundMutators<References extends Readonly<Record<string, PublicReference<"mutation">>>> = {
  readonly [Name in keyof References]: (
    ...args: CallArguments<References[Name]>
  ) => MutatorTransaction<ResultOf<References[Name]>>;
};

/**
 * Makes mutators callable. What a mutator changes is seen in every collection over the client's
 * shapes, is put on top of each newer state from the server, and goes when the server's own version
 * of it arrives, in the same sync transaction. Also names the client halves for mutations that an
 * earlier page left in the outbox: bind before rendering.
 */
export function bindMutators<
  const Collections extends LunoraCollections,
  References extends Readonly<Record<string, PublicReference<"mutation">>>,
>(
  client: LunoraClient,
  { collections }: { readonly collections: Collections },
  mutators: { readonly [Name in keyof References]: MutatorDefinition<References[Name], Collections> },
): BoundMutators<References> {
  const bound: Record<string, (...args: never) => MutatorTransaction<unknown>> = {};
  for (const [name, { mutation, apply }] of Object.entries<MutatorDefinition<PublicReference<"mutation">, Collections>>(
    mutators,
  )) {
    client.registerMutator(mutation, (context, args) => apply(tablesOf(collections, context), args, context));
    bound[name] = (...args: CallArguments<typeof mutation>) => new MutatorTransaction(client.mutate(mutation, ...args));
  }
  return bound as BoundMutators<References>;
}

function tablesOf<Collections extends LunoraCollections>(
  collections: Collections,
  { db }: MutatorContext,
): MutatorTables<Collections> {
  const tables = Object.entries(collections).map(([name, { utils }]) => [name, tableOf(db, utils.table)]);
  return Object.fromEntries(tables) as MutatorTables<Collections>;
}
