import { DurableObject } from "cloudflare:workers";
import { LunoraError } from "@lunora/errors";
import { encodeFailure } from "@lunora/protocol";
import type { AdminAnswer, AdminCall, AdminMethods, RegistryMethods, RegistryPage } from "@lunora/runtime";
import type { Environment, LunoraDefinition } from "@lunora/server";

import type { AdminPart, RegistryAdmin } from "./engine/admin/admin-part.ts";
import type { SqlStorage } from "./engine/sql.ts";

/** Names in one answer, unless asked for fewer. */
const PAGE = 1_000;

/** The platform makes the object; its `DurableObjectState` and the bindings are what it hands in. */
export type ShardRegistryObjectClass = new (context: never, env: never) => RegistryMethods;

/** The class of the object that knows the names of all shards: the platform does not tell. */
export function createShardRegistryObject(definition: LunoraDefinition): ShardRegistryObjectClass {
  class ShardRegistryDO extends DurableObject<Environment> implements RegistryMethods, AdminMethods {
    readonly #admin: RegistryAdmin | undefined;

    constructor(context: DurableObjectState, env: Environment) {
      super(context, env);
      context.storage.sql.exec(
        "CREATE TABLE IF NOT EXISTS shards(name TEXT PRIMARY KEY NOT NULL, registered REAL NOT NULL) WITHOUT ROWID",
      );
      const { storage } = context;
      this.#admin = (definition.admin as AdminPart | undefined)?.registry({
        sql: storage.sql as unknown as SqlStorage,
        now: Date.now,
        transactionSync: (run) => storage.transactionSync(run),
      });
    }

    async admin({ operation, argument }: AdminCall): Promise<AdminAnswer> {
      try {
        if (this.#admin === undefined) throw new LunoraError("NOT_FOUND", "the app's definition has no `admin`");
        const value = this.#admin.run(operation, argument);
        // What is decided here holds in every shard, so it has to be on disk by then.
        await this.ctx.storage.sync();
        return { ok: true, value };
      } catch (error) {
        return { ok: false, ...encodeFailure(error) };
      }
    }

    async register(name: string): Promise<void> {
      this.#admin?.beforeRegister();
      this.ctx.storage.sql.exec(
        "INSERT INTO shards(name, registered) VALUES(?, ?) ON CONFLICT DO NOTHING",
        name,
        Date.now(),
      );
      // The caller goes on as soon as it hears from here, so the name has to be on disk by then.
      await this.ctx.storage.sync();
    }

    async registeredAt(name: string): Promise<number | null> {
      const [row] = this.ctx.storage.sql.exec("SELECT registered FROM shards WHERE name = ?", name).toArray();
      return (row?.["registered"] ?? null) as number | null;
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
