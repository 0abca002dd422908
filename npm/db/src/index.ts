export { bindMutators } from "./bind-mutators.ts";
export type {
  BoundMutators,
  LunoraCollection,
  LunoraCollections,
  MutatorDefinition,
  MutatorTables,
} from "./bind-mutators.ts";
export { lunoraCollectionOptions } from "./collection-options.ts";
export type {
  LunoraCollectionConfig,
  LunoraCollectionOptions,
  LunoraCollectionUtils,
  RowShape,
} from "./collection-options.ts";
export type { MutatorTable, NewRow } from "./mutator-table.ts";
export type { MutatorTransaction } from "./mutator-transaction.ts";
