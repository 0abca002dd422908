import { LunoraError } from "@lunora/errors";

import type { RegistryAdmin, RegistryAdminHost } from "./admin-part.ts";
import { fieldsOf, positive, text, texts } from "./arguments.ts";
import type { ImportMode, ImportRecord } from "./import-shard.ts";
import { createRegistryInspection } from "./inspect/registry-inspection.ts";
import { migrationLease } from "./migration-lease.ts";

const MODES: readonly ImportMode[] = ["empty", "merge", "replace"];

/** Shards in one answer. */
const PAGE = 200;

type State = ImportRecord["state"];

/** How far a shard has come in an import. */
type Stage = "joined" | "prepared" | "finished";

/** A page of the shards that take part in an import. */
export interface ParticipantPage {
  readonly names: readonly string[];
  readonly cursor: string | null;
}

/**
 * What the registry knows beyond names: the one record of each import, by which it counts in all its shards or in
 * none, and whether shards may begin to exist.
 */
export function createRegistryAdmin(host: RegistryAdminHost): RegistryAdmin {
  const { sql, now, transactionSync } = host;
  sql.exec(`CREATE TABLE IF NOT EXISTS __import(id TEXT PRIMARY KEY NOT NULL, state TEXT NOT NULL, mode TEXT NOT NULL, tables TEXT NOT NULL,
      began REAL NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __import_shard(id TEXT NOT NULL, name TEXT NOT NULL, stage TEXT NOT NULL, PRIMARY KEY(id, name)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS __pause(id TEXT PRIMARY KEY NOT NULL, until REAL NOT NULL) WITHOUT ROWID`);

  /** An import that nobody went on with has been given up. */
  function expire(): void {
    sql.exec("UPDATE __import SET state = 'aborted' WHERE state = 'open' AND expires <= ?", now());
    sql.exec("DELETE FROM __pause WHERE until <= ?", now());
  }

  function find(id: string): ImportRecord | undefined {
    expire();
    const [row] = sql.exec("SELECT state, mode, tables FROM __import WHERE id = ?", id).toArray();
    if (row === undefined) return undefined;
    return {
      id,
      state: row["state"] as State,
      mode: row["mode"] as ImportMode,
      tables: JSON.parse(row["tables"] as string) as string[],
    };
  }

  function open(id: string): ImportRecord {
    const record = find(id);
    if (record?.state === "open") return record;
    const why = record === undefined ? "was never begun here" : `is ${record.state} already`;
    throw new LunoraError("IMPORT_NOT_OPEN", `the import ${why}`, { data: { id, state: record?.state ?? null } });
  }

  function renew(id: string, lease: number): void {
    sql.exec("UPDATE __import SET expires = ? WHERE id = ?", now() + lease, id);
  }

  function stage(id: string, names: readonly string[], reached: Stage): void {
    for (const name of names)
      sql.exec("UPDATE __import_shard SET stage = ? WHERE id = ? AND name = ?", reached, id, name);
  }

  const operations: Readonly<Record<string, (argument: unknown) => unknown>> = {
    ...migrationLease(host),
    ...createRegistryInspection(host),
    importBegin(argument): ImportRecord {
      const fields = fieldsOf(argument);
      const id = text(fields, "id");
      const mode = MODES.find((candidate) => candidate === fields["mode"]);
      if (mode === undefined) throw new LunoraError("BAD_REQUEST", `\`mode\` is one of ${MODES.join(", ")}`);
      const tables = texts(fields, "tables");
      const known = find(id);
      const [other] = sql.exec("SELECT id, began FROM __import WHERE state = 'open' AND id <> ?", id).toArray();
      if (other !== undefined) {
        throw new LunoraError("IMPORT_IN_PROGRESS", "another import is under way", {
          data: { id: other["id"], began: other["began"] },
          hint: "Wait until it has ended; one that was left ends by itself within an hour.",
        });
      }
      if (known === undefined) {
        sql.exec(
          "INSERT INTO __import(id, state, mode, tables, began, expires) VALUES(?, 'open', ?, ?, ?, ?)",
          id,
          mode,
          JSON.stringify(tables),
          now(),
          now() + positive(fields, "lease"),
        );
      } else if (known.state === "open") renew(id, positive(fields, "lease"));
      return find(id) as ImportRecord;
    },
    importJoin(argument): ImportRecord {
      const fields = fieldsOf(argument);
      const id = text(fields, "id");
      const record = open(id);
      for (const name of texts(fields, "names")) {
        sql.exec("INSERT INTO shards(name, registered) VALUES(?, ?) ON CONFLICT DO NOTHING", name, now());
        sql.exec(
          "INSERT INTO __import_shard(id, name, stage) VALUES(?, ?, 'joined') ON CONFLICT DO UPDATE SET stage = 'joined'",
          id,
          name,
        );
      }
      renew(id, positive(fields, "lease"));
      return record;
    },
    importState(argument): { state: State } {
      return { state: find(text(fieldsOf(argument), "id"))?.state ?? "aborted" };
    },
    importPrepared(argument): void {
      const fields = fieldsOf(argument);
      const { id } = open(text(fields, "id"));
      stage(id, texts(fields, "names"), "prepared");
      renew(id, positive(fields, "lease"));
    },
    importCommit(argument): void {
      const id = text(fieldsOf(argument), "id");
      if (find(id)?.state === "committed") return;
      open(id);
      const [late] = sql.exec("SELECT name FROM __import_shard WHERE id = ? AND stage = 'joined'", id).toArray();
      if (late !== undefined)
        throw new LunoraError("IMPORT_NOT_OPEN", `\`${late["name"] as string}\` has not prepared the import yet`);
      sql.exec("UPDATE __import SET state = 'committed' WHERE id = ?", id);
    },
    importFinished(argument): void {
      const fields = fieldsOf(argument);
      stage(text(fields, "id"), texts(fields, "names"), "finished");
    },
    importAbort(argument): void {
      const id = text(fieldsOf(argument), "id");
      const record = find(id);
      if (record === undefined || record.state === "aborted") return;
      open(id);
      sql.exec("UPDATE __import SET state = 'aborted' WHERE id = ?", id);
    },
    importShards(argument): ParticipantPage {
      const fields = fieldsOf(argument);
      const rows = sql
        .exec(
          `SELECT name FROM __import_shard WHERE id = ? AND name > ? AND stage <> 'finished' ORDER BY name LIMIT ${PAGE + 1}`,
          text(fields, "id"),
          typeof fields["cursor"] === "string" ? fields["cursor"] : "",
        )
        .toArray();
      const names = rows.slice(0, PAGE).map((row) => row["name"] as string);
      return { names, cursor: rows.length > PAGE ? (names.at(-1) ?? null) : null };
    },
    pause(argument): void {
      const fields = fieldsOf(argument);
      const id = text(fields, "id");
      expire();
      const [other] = sql.exec("SELECT id FROM __pause WHERE id <> ?", id).toArray();
      if (other !== undefined) throw new LunoraError("CONFLICT", "writes are paused by another export");
      sql.exec(
        "INSERT INTO __pause(id, until) VALUES(?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
        id,
        positive(fields, "until"),
      );
    },
    resume(argument): void {
      sql.exec("DELETE FROM __pause WHERE id = ?", text(fieldsOf(argument), "id"));
    },
  };

  return {
    beforeRegister() {
      expire();
      if (sql.exec("SELECT 1 FROM __pause").toArray().length > 0)
        throw new LunoraError("WRITES_PAUSED", "no shard may begin to exist while all are exported");
    },
    run(operation, argument) {
      const found = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (found === undefined) throw new LunoraError("NOT_FOUND", `the registry has no operation \`${operation}\``);
      return transactionSync(() => found(argument));
    },
  };
}
