import { LunoraError } from "@lunora/errors";
import { hasPolicy, isRegisteredShape, rulesOf } from "@lunora/server";
import type { LunoraDefinition, PolicyRules, RegisteredShape, ShapeRegistryEntry } from "@lunora/server";

import { ModuleImports } from "../module-imports.ts";
import type { Schema } from "../schema.ts";
import { assertLivesHere } from "../shard-scope.ts";
import type { ShardScope } from "../shard-scope.ts";
import type { Table } from "../table.ts";
import type { LiveMirror } from "./live-host.ts";
import { RowProjection } from "./row-projection.ts";

/** A shape that has been found to be in order. */
export interface CatalogShape {
  readonly name: string;
  readonly entry: ShapeRegistryEntry;
  readonly registered: RegisteredShape;
  readonly table: Table;
  readonly projection: RowProjection;
  /** Row-level policies that say who may read which rows. */
  readonly rules: readonly PolicyRules[];
}

/** What the catalog needs of the shard. */
export interface CatalogHost {
  readonly mirror?: Pick<LiveMirror, "table"> | undefined;
  readonly definition: LunoraDefinition;
  readonly schema: Schema;
  readonly scope: ShardScope;
}

/** The shapes of an app, each imported and checked when it is first asked for. */
export class ShapeCatalog {
  readonly #host: CatalogHost;
  readonly #imports: ModuleImports;
  readonly #shapes = new Map<string, Promise<CatalogShape>>();

  /** `importDeadline`: how long a module may take, milliseconds. */
  constructor(host: CatalogHost, importDeadline?: number) {
    this.#host = host;
    this.#imports = new ModuleImports(importDeadline);
  }

  /**
   * Rejects with `SHAPE_NOT_FOUND`, `SHARD_MISMATCH` (a table that is not in this shard), `SCHEMA_INVALID` (a column that is none) or `RLS_REQUIRED`.
   */
  get(name: string): Promise<CatalogShape> {
    const { shapes = {} } = this.#host.definition;
    const entry = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (entry === undefined)
      return Promise.reject(new LunoraError("SHAPE_NOT_FOUND", `there is no shape \`${name}\``, { data: { name } }));
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      shape = this.#register(name, entry);
      this.#shapes.set(name, shape);
      // An import that failed may succeed the next time; a shape that is refused stays refused.
      shape.catch((error: unknown) => {
        if (!(error instanceof LunoraError) || error.code === "MODULE_TIMEOUT") this.#shapes.delete(name);
      });
    }
    return shape;
  }

  async #register(name: string, entry: ShapeRegistryEntry): Promise<CatalogShape> {
    const { schema, scope } = this.#host;
    const registered = (await this.#imports.import(`shapes:${name}`, () => entry.module()))[entry.exportName];
    if (!isRegisteredShape(registered) || registered.table !== entry.table)
      throw new Error(`\`${name}\` is not the shape that the generated registry says: run codegen again`);
    const copy = this.#host.mirror?.table(registered.table);
    const table = copy ?? schema.table(registered.table);
    if (copy === undefined) assertLivesHere(scope, table);
    for (const column of registered.columns ?? []) {
      if (!table.columns.has(column)) {
        throw new LunoraError(
          "SCHEMA_INVALID",
          `shape \`${name}\` names \`${column}\`, which is not a column of \`${table.name}\``,
          { data: { table: table.name, column } },
        );
      }
    }
    const rules = rulesOfShape(name, registered);
    // As in functions: where policies are required, a table without one is not read.
    if (schema.needsPolicies && !table.definition.isPublic && !hasPolicy(rules, table.name, "read")) {
      throw new LunoraError(
        "RLS_REQUIRED",
        `the schema says \`.rls("required")\`, and shape \`${name}\` has no policy for reading \`${table.name}\`: add \`use: [rls(policies)]\``,
        { data: { table: table.name, operation: "read" } },
      );
    }
    return { name, entry, registered, table, projection: new RowProjection(table, registered.columns), rules };
  }
}

function rulesOfShape(name: string, { use = [] }: RegisteredShape): PolicyRules[] {
  return use.map((middleware) => {
    const rules = rulesOf(middleware);
    // No function runs that a middleware could stand around; one that is passed over would guard nothing.
    if (rules === undefined)
      throw new LunoraError(
        "SCHEMA_INVALID",
        `\`use\` of shape \`${name}\` takes what \`rls\` returns, and nothing else`,
      );
    return rules;
  });
}
