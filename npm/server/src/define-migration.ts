import type { DataModelOf, DocumentOf, InsertOf, TableNames } from "./data-model.ts";
import { schemaError } from "./schema-error.ts";
import type { Untyped } from "./untyped.ts";

/** A document as it is stored: columns of the schema, and those that it no longer has. Old rows may lack any of them. */
export type StoredDocument<Document> = Readonly<Document> & { readonly [column: string]: Untyped };

/** What a transform gives: the whole next document, or nothing to leave the row alone. */
export type MigratedDocument<Model extends DataModelOf<Model>, Table extends keyof Model> =
  | (InsertOf<Model, Table> & Partial<DocumentOf<Model, Table>>)
  | undefined;

/** What a migration is declared with. */
export interface MigrationOptions<Model extends DataModelOf<Model>, Table extends TableNames<Model>> {
  /** Names it for ever, and says when it runs: migrations run in the order of their ids. A literal. */
  readonly id: string;
  /** The table whose rows it transforms, those marked as deleted included. A literal. */
  readonly table: Table;
  /**
   * The next document of a row, whole: a column that is left out is removed. `undefined` leaves the row alone. Runs
   * inside the shard, once for each row, rows that new code wrote meanwhile included; depends on its argument alone
   * and awaits nothing. Cannot delete the row, nor change `_id`, `_creationTime` or the shard field.
   */
  readonly up: (document: StoredDocument<DocumentOf<Model, Table>>) => MigratedDocument<Model, Table>;
  /** The way back, in the same terms; without it the migration cannot be taken back. */
  readonly down?: (document: StoredDocument<DocumentOf<Model, Table>>) => MigratedDocument<Model, Table>;
  /** Most rows of a transaction, 1 to 1,000; 200 when left out. Fewer are taken where they take long. */
  readonly batchSize?: number;
}

/** A transform, as a shard runs it. */
export type MigrationTransform = (document: Untyped) => unknown;

/** A migration, as its registration holds it. */
export interface RegisteredMigration {
  readonly kind: "migration";
  readonly id: string;
  readonly table: string;
  readonly up: MigrationTransform;
  readonly down?: MigrationTransform;
  readonly batchSize?: number;
}

/** `defineMigration({…})`: a transform of every row of a table. */
export type MigrationFactory<Model extends DataModelOf<Model>> = <const Table extends TableNames<Model>>(
  options: MigrationOptions<Model, Table>,
) => RegisteredMigration;

/** Most rows of a transaction. */
const BATCH_ROWS = 1_000;

/**
 * Declares a migration without a data model; `defineMigration` of the generated `server.ts` is the typed form.
 * Throws `SCHEMA_INVALID` when what was given can be no migration.
 */
export const defineMigration: MigrationFactory<Untyped> = ({ id, table, up, down, batchSize }) => {
  if (typeof id !== "string" || id === "")
    throw schemaError("a migration has no `id`", 'Give it one that stays: `defineMigration({ id: "…" })`.');
  if (typeof table !== "string")
    throw schemaError(`the migration \`${id}\` has no \`table\``, "Name the table whose rows it transforms.");
  if (typeof up !== "function")
    throw schemaError(`the migration \`${id}\` has no \`up\``, "Write a function from a document to the next one.");
  if (down !== undefined && typeof down !== "function")
    throw schemaError(`\`down\` of the migration \`${id}\` is no function`, "Write one like `up`, or leave it out.");
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= BATCH_ROWS))
    throw schemaError(
      `\`batchSize\` of the migration \`${id}\` is \`${String(batchSize)}\``,
      `Give it a whole number from 1 to ${BATCH_ROWS}, or leave it out.`,
    );
  return {
    kind: "migration",
    id,
    table,
    up,
    ...(down === undefined ? {} : { down }),
    ...(batchSize === undefined ? {} : { batchSize }),
  };
};

/** Whether an export is a migration. */
export function isRegisteredMigration(value: unknown): value is RegisteredMigration {
  return typeof value === "object" && value !== null && (value as Partial<RegisteredMigration>).kind === "migration";
}
