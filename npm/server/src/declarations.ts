// What an app declares besides functions, bound to its data model. Each by itself, so that a bundle holds those that are used.
import type { DataModelOf } from "./data-model.ts";
import { defineMigration } from "./define-migration.ts";
import type { MigrationFactory } from "./define-migration.ts";
import { defineMutator } from "./define-mutator.ts";
import type { MutatorFactory } from "./define-mutator.ts";
import { definePolicy } from "./define-policy.ts";
import type { PolicyDefiner } from "./define-policy.ts";
import { defineShape } from "./define-shape.ts";
import type { ShapeFactory } from "./define-shape.ts";

/** Makes `shape`: a part of a table that clients keep a live copy of; exported from `lunora/shapes.ts`. */
export function shapesOf<Model extends DataModelOf<Model>>(): ShapeFactory<Model> {
  return defineShape as unknown as ShapeFactory<Model>;
}

/** Makes `mutator`: a mutation that clients show in advance; exported from `lunora/mutators.ts`. */
export function mutatorsOf<Model extends DataModelOf<Model>>(): MutatorFactory<Model> {
  return defineMutator as unknown as MutatorFactory<Model>;
}

/** Makes `definePolicy`: which rows of a table may be read or written; handed to `rls`. */
export function policiesOf<Model extends DataModelOf<Model>>(): PolicyDefiner<Model> {
  return definePolicy as unknown as PolicyDefiner<Model>;
}

/** Makes `defineMigration`: a transform of every row of a table, run by `lunora migrate`. */
export function migrationsOf<Model extends DataModelOf<Model>>(): MigrationFactory<Model> {
  return defineMigration as unknown as MigrationFactory<Model>;
}
