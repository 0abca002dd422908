import type { Identity } from "./context.ts";
import type { DataModelOf, DocumentOf, TableNames } from "./data-model.ts";
import type { DatabaseReader } from "./database.ts";
import type { Where } from "./table-access.ts";
import type { Untyped } from "./untyped.ts";

/** What a policy is about. `restore` is an update, `hardDelete` a delete. */
export type PolicyOperation = "read" | "insert" | "update" | "delete";

/** Something that roles allow. */
export interface PermissionDefinition {
  readonly permission: string;
}

/** A role: what those who have it may do. */
export interface RoleDefinition {
  readonly role: string;
  readonly permissions: readonly PermissionDefinition[];
}

/** Who asks, as policies see it. */
export interface PolicyAuth {
  /** `null` when nobody is signed in. */
  readonly userId: string | null;
  readonly identity: Identity | null;
  /** The texts of the identity's claim `roles`. */
  readonly roles: readonly string[];
  /** Whether one of the roles has the permission, as `rls(policies, { roles })` declares them. */
  can(permission: PermissionDefinition): boolean;
}

/** What `when` gets. */
export interface PolicyOptions<Model extends DataModelOf<Model>, Row> {
  readonly auth: PolicyAuth;
  /** Reads without policies, so that a policy can look at memberships. */
  readonly ctx: { readonly db: DatabaseReader<Model> };
  /**
   * The row that is written; absent for `read`. An update is asked about twice: with the row as it
   * is and as it will be.
   */
  readonly row: Row;
}

/** Which rows: those that meet the condition, all (`true`), none (`false`). */
export type PolicyAnswer<Row> = Where<Row> | boolean;

/** A policy as data. */
export interface PolicyDefinition {
  readonly table: string;
  readonly on: PolicyOperation;
  readonly when: (options: Untyped) => unknown;
}

/** A policy as it is written: `when` says which rows of the table the caller may read or write. */
export interface PolicyInput<
  Model extends DataModelOf<Model>,
  Table extends TableNames<Model>,
  On extends PolicyOperation,
> {
  readonly table: Table;
  readonly on: On;
  readonly when: (
    options: PolicyOptions<Model, On extends "read" ? undefined : DocumentOf<Model, Table>>,
  ) => PolicyAnswer<DocumentOf<Model, Table>> | Promise<PolicyAnswer<DocumentOf<Model, Table>>>;
}

/** `definePolicy` of an app's data model. */
export type PolicyDefiner<Model extends DataModelOf<Model>> = <
  const Table extends TableNames<Model>,
  const On extends PolicyOperation,
>(
  policy: PolicyInput<Model, Table, On>,
) => PolicyDefinition;

/** Declares which rows of a table may be read or written. Several policies must all agree. */
export const definePolicy: PolicyDefiner<Untyped> = ({ table, on, when }) => ({ table, on, when });

/** Policies that belong together, to be handed to `rls`. */
export function definePolicies(policies: readonly PolicyDefinition[]): readonly PolicyDefinition[] {
  return [...policies];
}

/** Names something that roles can allow. */
export function definePermission(permission: string): PermissionDefinition {
  return { permission };
}

/** Declares what those may do whose identity has the role in its claim `roles`. */
export function defineRole(
  role: string,
  options: { readonly permissions: readonly PermissionDefinition[] },
): RoleDefinition {
  return { role, permissions: [...options.permissions] };
}
