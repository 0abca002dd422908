import { DurableObject } from "cloudflare:workers";
import { LunoraError } from "@lunora/errors";
import type { RegistryMethods, RegistryPage } from "@lunora/runtime";
import type { Environment, LunoraDefinition } from "@lunora/server";

/** Names in one answer, unless asked for fewer. */
const PAGE = 1_000;

/** The platform makes the object; its `DurableObjectState` and the bindings are what it hands in. */
export type ShardRegistryObjectClass = new (context: never, env: never) => RegistryMethods;

/** The class of the object that knows the names of all shards: the platform does not tell. */
export function createShardRegistryObject(_definition: LunoraDefinition): ShardRegistryObjectClass {
  class ShardRegistryDO extends DurableObject<Environment> implements RegistryMethods {
    constructor(context: DurableObjectState, env: Environment) {
      super(context, env);
      context.storage.sql.exec(
        "CREATE TABLE IF NOT EXISTS shards(name TEXT PRIMARY KEY NOT NULL, registered REAL NOT NULL) WITHOUT ROWID",
      );
    }

    async register(name: string): Promise<void> {
      this.ctx.storage.sql.exec(
        "INSERT INTO shards(name, registered) VALUES(?, ?) ON CONFLICT DO NOTHING",
        name,
        Date.now(),
      );
      // The caller goes on as soon as it hears from here, so the name has to be on disk by then.
      await this.ctx.storage.sync();
    }

    async list(options: { field?: string; cursor?: string | null; limit?: number }): Promise<RegistryPage> {
      const { field, cursor, limit = PAGE } = options;
      if (!Number.isInteger(limit) || limit < 1)
        throw new LunoraError("BAD_REQUEST", `\`limit\` has to be a positive integer, not \`${String(limit)}\``);
      const size = Math.min(limit, PAGE);
      // "=" separates field and value; ">" is the character after it.
      const [from, to] = field === undefined ? ["", "\u{10ffff}"] : [`${field}=`, `${field}>`];
      const rows = this.ctx.storage.sql
        .exec(
          "SELECT name FROM shards WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
          cursor ?? "",
          from,
          to,
          size + 1,
        )
        .toArray();
      const names = rows.slice(0, size).map((row) => row["name"] as string);
      return { names, cursor: rows.length > size ? (names.at(-1) ?? null) : null };
    }
  }

  return ShardRegistryDO as unknown as ShardRegistryObjectClass;
}
