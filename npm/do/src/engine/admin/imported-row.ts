import { isLunoraError, LunoraError } from "@lunora/errors";
import { decodeIdShard, decodeValue, hasIdForm } from "@lunora/protocol";
import { parseFields } from "@lunora/values";

import { encodeRow } from "../document.ts";
import type { Fields, StoredRow } from "../document.ts";
import type { Schema } from "../schema.ts";
import { assertIdHere, assertLivesHere, assertShardValue, checkIds } from "../shard-scope.ts";
import type { ShardScope } from "../shard-scope.ts";
import type { RowLine } from "./import-lines.ts";

/**
 * The stored form of a row of the dump. Everything that a write would check is checked, triggers and policies aside;
 * nothing is filled in and nothing changed. Throws `IMPORT_ROW_REFUSED`, which names the line.
 */
export function importedRow(
  schema: Schema,
  scope: ShardScope,
  tables: readonly string[],
  number: number,
  { table: name, doc }: RowLine,
): StoredRow {
  try {
    if (!tables.includes(name)) throw new LunoraError("UNKNOWN_TABLE", `\`${name}\` is not part of this import`);
    const table = schema.table(name);
    assertLivesHere(scope, table);
    const { _id: id, _creationTime: creationTime, ...fields } = decodeValue(doc) as Fields;
    if (typeof id !== "string" || !hasIdForm(id, decodeIdShard(String(id)) !== null))
      throw new LunoraError("BAD_REQUEST", "`_id` is not an id");
    assertIdHere(scope, table, id, "_id");
    if (typeof creationTime !== "number" || !Number.isFinite(creationTime))
      throw new LunoraError("BAD_REQUEST", "`_creationTime` has to be a number");
    for (const field of Object.keys(fields))
      if (!table.columns.has(field))
        throw new LunoraError("VALIDATION_ERROR", `\`${field}\` is no column of \`${name}\``);
    parseFields(table.definition.columns, fields);
    const { shardMode } = table.definition;
    if (shardMode.kind === "shardBy") assertShardValue(scope, table, fields[shardMode.field]);
    checkIds(scope, schema, table.definition.columns, fields);
    return encodeRow(table, id, creationTime, fields);
  } catch (error) {
    if (!isLunoraError(error)) throw error;
    throw new LunoraError("IMPORT_ROW_REFUSED", `line ${number}: ${error.message}`, {
      data: { line: number, table: name, code: error.code },
      cause: error,
    });
  }
}
