import { LunoraError } from "@lunora/errors";

import { decodeRow } from "./document.ts";
import type { Document, Fields } from "./document.ts";
import { checkOptions, limitOf, selectionOf, shape } from "./find.ts";
import type { FindHost, FindOptions, ReadView } from "./find.ts";
import { termsOfOrder } from "./order.ts";
import { ROW_COLUMNS, storageOf, toStoredRow } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { assertReachable } from "./shard-scope.ts";
import { clauses, combine, raw, run, slot, sql } from "./statement.ts";
import type { Fragment } from "./statement.ts";
import type { KeySource } from "./column.ts";
import type { SqlKey } from "./sql.ts";
import type { Table } from "./table.ts";

/** Levels of `with` inside `with`. */
const DEPTH = 8;

function depthOf(wanted: unknown): number {
  if (typeof wanted !== "object" || wanted === null) return 0;
  let deepest = 0;
  for (const options of Object.values(wanted)) {
    const inner = typeof options === "object" && options !== null ? (options as FindOptions).with : undefined;
    deepest = Math.max(deepest, depthOf(inner));
    if (deepest > DEPTH) break;
  }
  return deepest + 1;
}

/** Every table that a `with` may lead to. What is wrong with it is told when it is loaded. */
export function relatedTables(schema: Schema, table: Table, wanted: unknown, depth = 0): Table[] {
  if (typeof wanted !== "object" || wanted === null || depth > DEPTH) return [];
  return Object.entries(wanted).flatMap(([name, options]: [string, unknown]): Table[] => {
    const relation = Object.hasOwn(table.definition.relations, name) ? table.definition.relations[name] : undefined;
    if (relation === undefined || options === undefined || options === false) return [];
    const other = schema.table(relation.table);
    const inner = typeof options === "object" && options !== null ? (options as FindOptions).with : undefined;
    return [other, ...relatedTables(schema, other, inner, depth + 1)];
  });
}

/**
 * Adds the wanted relations to rows: one statement for each relation, however many rows there are.
 * `documents` are the rows with all columns, `rows` what the caller gets.
 */
export function loadRelations(
  host: FindHost,
  table: Table,
  documents: readonly Document[],
  rows: readonly Document[],
  wanted: unknown,
): void {
  if (typeof wanted !== "object" || wanted === null)
    throw new LunoraError("BAD_REQUEST", "`with` has to be an object of relations");
  if (depthOf(wanted) > DEPTH)
    throw new LunoraError("QUERY_TOO_COMPLEX", `\`with\` is nested deeper than ${DEPTH} levels`);
  for (const [name, value] of Object.entries(wanted)) {
    if (value === undefined || value === false) continue;
    const relation = Object.hasOwn(table.definition.relations, name) ? table.definition.relations[name] : undefined;
    if (relation === undefined) {
      throw new LunoraError("BAD_REQUEST", `\`${table.name}\` has no relation \`${name}\``, {
        data: { relation: name },
      });
    }
    const other = host.schema.table(relation.table);
    assertReachable(host.scope, other);
    const options = value === true ? {} : checkOptions(value);
    if (options.cursor !== undefined) throw new LunoraError("BAD_REQUEST", "a relation takes `limit`, not `cursor`");
    const isOne = relation.kind === "one";
    const own = table.source(isOne ? relation.field : relation.references) as KeySource;
    const theirs = other.source(isOne ? relation.references : relation.field) as KeySource;
    const ownKeys = documents.map((document) => theirs.keyOf(document[own.field]));
    const groups = related(host, other, theirs, ownKeys, options);
    rows.forEach((row, index) => {
      const key = ownKeys[index] as SqlKey;
      const found = key === null ? [] : (groups.get(key) ?? []);
      (row as unknown as Fields)[name] = isOne ? (found[0] ?? null) : found;
    });
  }
}

function related(
  host: FindHost,
  table: Table,
  source: KeySource,
  ownKeys: readonly SqlKey[],
  options: FindOptions,
): Map<SqlKey, Document[]> {
  const keys = [...new Set(ownKeys.filter((key) => key !== null))];
  const groups = new Map<SqlKey, Document[]>();
  if (keys.length === 0) return groups;
  const rows = run(storageOf(host, table), relatedStatement(table, source, keys, options, host)).raw();
  const documents = Array.from(rows, (values) => decodeRow(table, toStoredRow(values)));
  const shaped = shape(host, table, documents, options);
  documents.forEach((document, index) => {
    const key = source.keyOf(document[source.field]);
    const group = groups.get(key);
    const row = shaped[index] as Document;
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  });
  return groups;
}

/** Rows whose key is in the list; with a limit, only the first of each key. Notes the read. */
export function relatedStatement(
  table: Table,
  source: KeySource,
  keys: readonly SqlKey[],
  options: FindOptions,
  view: ReadView,
): Fragment {
  const member = sql`${source.expression} IN (SELECT value FROM json_each(${slot(JSON.stringify(keys))}))`;
  const { where: condition, tests } = selectionOf(table, options, view);
  view.footprint?.noteRange(table, [...tests, { source, oneOf: new Set(keys) }]);
  const order = termsOfOrder(table, options.orderBy)
    .map((term) => `${term.source.expression}${term.descending ? " DESC" : ""}`)
    .join(", ");
  const where = sql`WHERE ${combine(condition === undefined ? [member] : [member, condition], "AND")}`;
  const limit = limitOf(options.limit);
  if (limit === undefined)
    return clauses(raw(`SELECT ${ROW_COLUMNS} FROM ${table.quoted}`, 0), where, raw(`ORDER BY ${order}`, 0));
  return clauses(
    raw(
      `SELECT ${ROW_COLUMNS} FROM (SELECT ${ROW_COLUMNS}, row_number() OVER (PARTITION BY ${source.expression} ORDER BY ${order}) AS place FROM ${table.quoted}`,
      0,
    ),
    where,
    sql`) WHERE place <= ${slot(limit)} ORDER BY place`,
  );
}
