import { LunoraError } from "@lunora/errors";
import { shardValueText } from "@lunora/protocol";
import { defaultOf, parseFields, ValidationError } from "@lunora/values";
import type { AnyValidator } from "@lunora/values";

import type { Fields } from "./document.ts";
import type { SessionFacts } from "./session.ts";
import type { Table } from "./table.ts";

/** The row that is being changed: its id and creation time may be named, but not changed. */
export interface OwnFields {
  readonly _id: string;
  readonly _creationTime: number;
}

/** The columns that the caller named. Refuses what is no column: dropping it would lose data silently. */
function ownColumns(table: Table, input: unknown, own: OwnFields | undefined): Fields {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new ValidationError(
      [],
      `object with the columns of \`${table.name}\``,
      Array.isArray(input) ? "array" : input === null ? "null" : typeof input,
    );
  }
  const fields: Fields = {};
  for (const [field, value] of Object.entries(input)) {
    if (table.columns.has(field)) {
      fields[field] = value;
    } else if ((field === "_id" || field === "_creationTime") && (own === undefined || own[field] === value)) {
      if (own === undefined && value !== undefined)
        throw new ValidationError([field], "no value: the store gives it", typeof value);
    } else {
      throw new ValidationError([field], `column of \`${table.name}\``, "unknown field");
    }
  }
  return fields;
}

function serverValue(validator: AnyValidator, facts: SessionFacts): unknown {
  return validator.column.server?.({ auth: { userId: facts.auth.userId } });
}

/** A whole row from what `insert` was given: defaults, the server's own columns, validation. */
export function fillInsert(table: Table, input: unknown, facts: SessionFacts): Fields {
  const fields = ownColumns(table, input, undefined);
  return complete(table, fields, facts);
}

function complete(table: Table, fields: Fields, facts: SessionFacts): Fields {
  for (const { field, validator } of table.columns.values()) {
    if (validator.column.server !== undefined) fields[field] = serverValue(validator, facts);
    else if (fields[field] === undefined) fields[field] = defaultOf(validator, facts.now);
  }
  return parseFields(table.definition.columns, fields);
}

/** A whole row from what `replace` was given. */
export function fillReplace(
  table: Table,
  input: unknown,
  own: OwnFields,
  previous: Fields,
  facts: SessionFacts,
): Fields {
  const fields = ownColumns(table, input, own);
  keepShard(table, fields, previous);
  for (const { field, validator } of table.columns.values()) {
    if (fields[field] === undefined && validator.column.onUpdate !== undefined)
      fields[field] = validator.column.onUpdate();
  }
  return complete(table, fields, facts);
}

/** The shard field never changes; naming its present value is no change. */
function keepShard(table: Table, changes: Fields, previous: Fields): void {
  const { shardMode } = table.definition;
  if (shardMode.kind !== "shardBy" || changes[shardMode.field] === undefined) return;
  const { field } = shardMode;
  if (changes[field] !== null && shardValueText(changes[field]) === shardValueText(previous[field])) return;
  throw new LunoraError(
    "SHARD_FIELD_IMMUTABLE",
    `\`${table.name}.${field}\` says which shard the row lives in and cannot change`,
    {
      data: { table: table.name, field },
    },
  );
}

/** What a patch does: columns to set, columns to clear. Only these are validated. */
export interface FilledPatch {
  readonly set: Fields;
  readonly clear: readonly string[];
}

export function fillPatch(
  table: Table,
  input: unknown,
  own: OwnFields,
  previous: Fields,
  facts: SessionFacts,
): FilledPatch {
  const changes = ownColumns(table, input, own);
  for (const [field, value] of Object.entries(changes)) {
    if (value !== undefined) continue;
    throw new LunoraError(
      "BAD_REQUEST",
      `\`${field}\` is \`undefined\` in a patch: leave it out to keep the column, or pass \`null\` to clear it`,
      {
        data: { field },
      },
    );
  }
  keepShard(table, changes, previous);
  const set: Fields = {};
  const clear: string[] = [];
  for (const { field, validator } of table.columns.values()) {
    const { column } = validator;
    if (column.server !== undefined) set[field] = serverValue(validator, facts);
    else if (Object.hasOwn(changes, field)) {
      if (changes[field] === null && column.isOptional && !validator.safeParse(null).ok) clear.push(field);
      else set[field] = changes[field];
    } else if (column.onUpdate !== undefined) set[field] = column.onUpdate();
  }
  return { set: parseColumns(table, set), clear };
}

/** Validates only these columns: rows from before a column was added stay writable. */
export function parseColumns(table: Table, fields: Fields): Fields {
  const parsed: Fields = {};
  for (const [field, value] of Object.entries(fields)) {
    const validator = table.columns.get(field)?.validator;
    if (validator === undefined) throw new ValidationError([field], `column of \`${table.name}\``, "unknown field");
    // Parsed as a row of one column, so that errors carry the column's name.
    Object.assign(parsed, parseFields(singleColumn(field, validator), { [field]: value }));
  }
  return parsed;
}

const singles = new WeakMap<AnyValidator, Record<string, AnyValidator>>();

function singleColumn(field: string, validator: AnyValidator): Record<string, AnyValidator> {
  let map = singles.get(validator);
  if (map === undefined || !Object.hasOwn(map, field)) singles.set(validator, (map = { [field]: validator }));
  return map;
}
