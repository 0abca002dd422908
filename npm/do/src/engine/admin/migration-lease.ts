import { LunoraError } from "@lunora/errors";

import type { RegistryAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, text } from "./arguments.ts";

type Operation = (argument: unknown) => unknown;

/** Operations of the registry that let one run of migrations at a time through. One that is left ends by itself. */
export function migrationLease({ sql, now }: RegistryAdminHost): Readonly<Record<string, Operation>> {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS __migration_run(run TEXT PRIMARY KEY NOT NULL, id TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID",
  );
  return {
    /** Begins, or goes on for longer: `{run, id, lease}`. */
    migrationHold(argument): void {
      const fields = fieldsOf(argument);
      const run = text(fields, "run");
      sql.exec("DELETE FROM __migration_run WHERE until <= ?", now());
      const [other] = sql.exec("SELECT id, until FROM __migration_run WHERE run <> ?", run).toArray();
      if (other !== undefined) {
        throw new LunoraError("MIGRATION_IN_PROGRESS", `\`${other["id"] as string}\` is being run by somebody else`, {
          data: { id: other["id"], until: other["until"] },
        });
      }
      sql.exec(
        "INSERT INTO __migration_run(run, id, until) VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET id = excluded.id, until = excluded.until",
        run,
        text(fields, "id"),
        now() + positive(fields, "lease"),
      );
    },
    /** Lets the next one begin: `{run}`. */
    migrationRelease(argument): void {
      sql.exec("DELETE FROM __migration_run WHERE run = ?", text(fieldsOf(argument), "run"));
    },
  };
}
