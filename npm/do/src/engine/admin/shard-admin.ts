import { LunoraError } from "@lunora/errors";

import type { ShardAdmin, ShardAdminHost } from "./admin-part.ts";
import { fieldsOf, text } from "./arguments.ts";
import { ShardExports } from "./export-shard.ts";
import { hashPage } from "./hash-shard.ts";
import { ShardImport } from "./import-shard.ts";
import type { ImportRecord } from "./import-shard.ts";
import { createInspection } from "./inspect/inspection.ts";
import { ShardMigrations } from "./migrations.ts";
import { weighPage } from "./weigh-shard.ts";
import { WritePause } from "./write-pause.ts";

type Operation = (argument: unknown) => unknown;

function idOf(argument: unknown): string {
  return text(fieldsOf(argument), "id");
}

/** The admin part of a shard: what is asked by name, and what stands in the way of everybody else. */
export function createShardAdmin(host: ShardAdminHost): ShardAdmin {
  const exports = new ShardExports(host);
  const imports = new ShardImport(host, () => exports.isActive);
  const pause = new WritePause(host);
  const migrations = new ShardMigrations(host);

  /** Wait until the shard is its own. */
  const settled: Readonly<Record<string, Operation>> = {
    exportPage: (argument) => {
      if (fieldsOf(argument)["isPaused"] === true) pause.assertHeld(idOf(argument));
      return exports.page(argument);
    },
    exportEnd: (argument) => {
      exports.end(idOf(argument));
      pause.end(idOf(argument));
    },
    pause: (argument) => pause.begin(argument),
    hash: (argument) => hashPage(host, argument),
    weigh: (argument) => weighPage(host, argument),
    migrate: (argument) => migrations.run(argument),
    migrationStatus: () => migrations.status(),
    ...createInspection(host),
  };
  /** Parts of an import, which is what the shard waits for. */
  const importing: Readonly<Record<string, Operation>> = {
    importBegin: (argument) => imports.begin(argument as ImportRecord),
    importRows: (argument) => imports.rows(argument),
    importPrepare: (argument) => imports.prepare(idOf(argument)),
    importFinish: (argument) => imports.finish(idOf(argument)),
    importAbort: (argument) => imports.abort(idOf(argument)),
  };

  return {
    gate: () => imports.gate(),
    run: async (operation, argument) => {
      if (Object.hasOwn(importing, operation)) return importing[operation]?.(argument);
      if (!Object.hasOwn(settled, operation))
        throw new LunoraError("NOT_FOUND", `a shard has no operation \`${operation}\``);
      return settled[operation]?.(argument);
    },
  };
}
