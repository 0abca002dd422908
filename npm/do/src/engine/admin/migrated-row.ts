import { LunoraError } from "@lunora/errors";
import { canonicalJson, encodeValue, shardValueText } from "@lunora/protocol";
import type { MigrationTransform } from "@lunora/server";
import { defaultOf, parseFields } from "@lunora/values";

import { decodeFields, encodeRow } from "../document.ts";
import type { Fields, StoredRow } from "../document.ts";
import type { Schema } from "../schema.ts";
import { checkIds } from "../shard-scope.ts";
import type { ShardScope } from "../shard-scope.ts";
import type { Table } from "../table.ts";

/** What transforms rows of a table here. */
export interface RowTransform {
  readonly schema: Schema;
  readonly scope: ShardScope;
  readonly table: Table;
  readonly transform: MigrationTransform;
  /** Epoch milliseconds, for defaults. */
  readonly now: number;
}

function refuse(message: string): never {
  throw new LunoraError("MIGRATION_DOCUMENT_INVALID", message);
}

function checkObject(answer: unknown): Fields {
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    const found = answer === null ? "`null`" : Array.isArray(answer) ? "an array" : `a ${typeof answer}`;
    return refuse(`the transform gave ${found}: rows cannot be removed, only given a next document or left alone`);
  }
  if (typeof (answer as { then?: unknown }).then === "function")
    return refuse("the transform gave a promise: it runs inside a transaction and awaits nothing");
  return answer as Fields;
}

function wireText(value: unknown): string {
  return canonicalJson(encodeValue(value) ?? null);
}

/** Columns that the schema does not have: those that stay as they are may stay. */
function hiddenFields(table: Table, answer: Fields, before: StoredRow): Fields {
  const hidden: Fields = {};
  let stored: Fields | undefined;
  for (const [field, value] of Object.entries(answer)) {
    if (field === "_id" || field === "_creationTime" || value === undefined || table.columns.has(field)) continue;
    // Read again: the transform may have changed the document that it was given.
    stored ??= decodeFields(before.doc);
    if (!Object.hasOwn(stored, field) || wireText(stored[field]) !== wireText(value))
      throw new LunoraError(
        "VALIDATION_ERROR",
        `\`${field}\` is no column of \`${table.name}\`: declare it, or leave it out to remove what is stored`,
        { data: { table: table.name, field } },
      );
    hidden[field] = value;
  }
  return hidden;
}

function assertSameShard(table: Table, next: Fields, before: StoredRow): void {
  const { shardMode } = table.definition;
  if (shardMode.kind !== "shardBy") return;
  const { field } = shardMode;
  if (shardValueText(next[field]) === shardValueText(decodeFields(before.doc)[field])) return;
  throw new LunoraError(
    "SHARD_FIELD_IMMUTABLE",
    `\`${table.name}.${field}\` says which shard the row lives in and cannot change`,
    { data: { table: table.name, field } },
  );
}

/** Whether two texts are the same document, whatever the order of its columns. */
function isSameDocument(one: string, other: string): boolean {
  if (one === other) return true;
  return one.length === other.length && canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other));
}

/**
 * The row as the transform wants it; `undefined` when it is to stay as it is. Everything that a write would check is
 * checked, triggers and policies aside; columns with a default that are left out get it. Throws coded errors, and what
 * the transform throws.
 */
export function migratedRow(host: RowTransform, before: StoredRow): StoredRow | undefined {
  const { schema, scope, table, transform, now } = host;
  const own = { _id: before.id, _creationTime: before.creationTime };
  const given: unknown = transform({ ...own, ...decodeFields(before.doc) });
  if (given === undefined) return undefined;
  const answer = checkObject(given);
  for (const [field, value] of Object.entries(own)) {
    if (answer[field] !== undefined && answer[field] !== value)
      refuse(`the transform changed \`${field}\`, by which the row is known`);
  }
  const hidden = hiddenFields(table, answer, before);
  const fields: Fields = {};
  for (const { field, validator } of table.columns.values()) {
    fields[field] = answer[field] ?? (answer[field] === null ? null : defaultOf(validator, now));
  }
  const next = parseFields(table.definition.columns, fields);
  assertSameShard(table, next, before);
  checkIds(scope, schema, table.definition.columns, next);
  const after = encodeRow(table, before.id, before.creationTime, { ...hidden, ...next });
  return isSameDocument(after.doc, before.doc) && after.keys === before.keys ? undefined : after;
}
