import { LunoraError } from "@lunora/errors";
import { decodeIdShard, ID_RANDOM_BYTES, mintId, ROOT_OBJECT, shardValueText } from "@lunora/protocol";
import { formatPath } from "@lunora/values";
import type { AnyValidator, ValidatorMap } from "@lunora/values";

import type { Schema } from "./schema.ts";
import type { Table } from "./table.ts";

/** The object that the engine runs in: its name, and the shard field and value it stands for. */
export interface ShardScope {
  readonly name: string;
  /** `null` in the root. */
  readonly field: string | null;
  /** `null` in the root. */
  readonly value: string | null;
  /** The app's definition has what keeps `.global()` tables: functions may use them from here. */
  readonly hasGlobals?: boolean;
}

/** Reads an object's name: the root's, or `<field>=<percent-encoded value>`. */
export function scopeOf(name: string): ShardScope {
  if (name === ROOT_OBJECT) return { name, field: null, value: null };
  const separator = name.indexOf("=");
  if (separator <= 0) throw new LunoraError("BAD_REQUEST", `\`${name}\` is not the name of a shard`);
  try {
    return { name, field: name.slice(0, separator), value: decodeURIComponent(name.slice(separator + 1)) };
  } catch {
    throw new LunoraError(
      "BAD_REQUEST",
      `\`${name}\` is not the name of a shard: its value is not percent-encoded text`,
    );
  }
}

/** Whether rows of the table can be in this object. */
export function livesHere(scope: ShardScope, table: Table): boolean {
  const { shardMode } = table.definition;
  switch (shardMode.kind) {
    case "root":
      return scope.field === null;
    case "shardBy":
      return scope.field === shardMode.field;
    case "colocated":
      return true;
    case "global":
      return false;
  }
}

/** Refuses a table that functions cannot use from here. Those that are `.global()` are reached from everywhere. */
export function assertReachable(scope: ShardScope, table: Table): void {
  if (!table.isGlobal || scope.hasGlobals !== true) assertLivesHere(scope, table);
}

/** Refuses a table whose rows are elsewhere. */
export function assertLivesHere(scope: ShardScope, table: Table): void {
  if (livesHere(scope, table)) return;
  const { shardMode } = table.definition;
  if (shardMode.kind === "global") {
    throw new LunoraError(
      "NOT_IMPLEMENTED",
      `\`${table.name}\` is \`.global()\`: its rows are in D1, which only functions reach, by \`globals\` in the app's definition: run codegen again`,
      { data: { table: table.name } },
    );
  }
  const home = shardMode.kind === "shardBy" ? `shards of \`${shardMode.field}\`` : "the root shard";
  throw new LunoraError(
    "SHARD_MISMATCH",
    `\`${table.name}\` lives in ${home}, and this call runs in \`${scope.name}\``,
    {
      data: { table: table.name, shard: scope.name },
    },
  );
}

const RANDOM = new Uint8Array(ID_RANDOM_BYTES * 64);
let used = RANDOM.length;

/** Random bytes, fetched for many at once: asking the platform costs more than an id. */
function randomBytes(): Uint8Array {
  if (used === RANDOM.length) {
    crypto.getRandomValues(RANDOM);
    used = 0;
  }
  used += ID_RANDOM_BYTES;
  return RANDOM.subarray(used - ID_RANDOM_BYTES, used);
}

/** A new id for a row of the table that is written from this object. */
export function newId(scope: ShardScope, table: Table): string {
  const random = randomBytes();
  return scope.value === null || table.isGlobal ? mintId(random) : mintId(random, scope.value);
}

/** Whether the id can name a row of the table in this object. Ids of other tables' shards are nobody's business here. */
function idBelongs(scope: ShardScope, table: Table, id: string): boolean {
  const { shardMode } = table.definition;
  if (shardMode.kind === "colocated" || (shardMode.kind === "shardBy" && shardMode.field === scope.field)) {
    return decodeIdShard(id) === scope.value;
  }
  return true;
}

/** Refuses an id of a row that is in another shard. */
export function assertIdHere(scope: ShardScope, table: Table, id: string, place?: string): void {
  if (idBelongs(scope, table, id)) return;
  throw new LunoraError(
    "SHARD_MISMATCH",
    `${place === undefined ? "the id" : `\`${place}\``} names a row of \`${table.name}\` in another shard than \`${scope.name}\``,
    { data: { table: table.name, ...(place === undefined ? {} : { path: place }) } },
  );
}

/** Refuses a row whose shard field has another shard's value. */
export function assertShardValue(scope: ShardScope, table: Table, value: unknown): void {
  const { shardMode } = table.definition;
  if (shardMode.kind !== "shardBy") return;
  if (shardValueText(value) === scope.value) return;
  throw new LunoraError(
    "SHARD_MISMATCH",
    `\`${table.name}.${shardMode.field}\` names another shard than \`${scope.name}\``,
    {
      data: { table: table.name, field: shardMode.field },
    },
  );
}

type Path = readonly (string | number)[];

const holdsIds = new WeakMap<AnyValidator, boolean>();

/** Whether an id can be anywhere inside; most values are left alone because of it. */
function mayHoldIds(validator: AnyValidator): boolean {
  let known = holdsIds.get(validator);
  if (known === undefined) {
    const { definition } = validator;
    switch (definition.kind) {
      case "id":
        known = true;
        break;
      case "optional":
      case "nullable":
        known = mayHoldIds(definition.inner);
        break;
      case "array":
        known = mayHoldIds(definition.item);
        break;
      case "object":
        known = Object.values(definition.fields).some(mayHoldIds);
        break;
      case "record":
        known = mayHoldIds(definition.key) || mayHoldIds(definition.value);
        break;
      case "union":
        known = definition.members.some(mayHoldIds);
        break;
      default:
        known = false;
    }
    holdsIds.set(validator, known);
  }
  return known;
}

function checkValue(scope: ShardScope, schema: Schema, validator: AnyValidator, value: unknown, path: Path): void {
  if (value === null || value === undefined || !mayHoldIds(validator)) return;
  const { definition } = validator;
  switch (definition.kind) {
    case "id": {
      const table = schema.tables.get(definition.table);
      if (table !== undefined && typeof value === "string") assertIdHere(scope, table, value, formatPath([...path]));
      break;
    }
    case "optional":
    case "nullable":
      checkValue(scope, schema, definition.inner, value, path);
      break;
    case "array":
      if (Array.isArray(value))
        value.forEach((item, index) => checkValue(scope, schema, definition.item, item, [...path, index]));
      break;
    case "object":
      if (typeof value === "object") checkIds(scope, schema, definition.fields, value as Record<string, unknown>, path);
      break;
    case "record":
      if (typeof value !== "object") break;
      for (const [key, item] of Object.entries(value)) {
        checkValue(scope, schema, definition.key, key, [...path, key]);
        checkValue(scope, schema, definition.value, item, [...path, key]);
      }
      break;
    case "union": {
      // The first member that accepts the value is the one that parsing takes.
      const member = definition.members.find((candidate) => candidate.safeParse(value).ok);
      if (member !== undefined) checkValue(scope, schema, member, value, path);
      break;
    }
    default:
  }
}

/** Refuses ids of rows in other shards, however deep they are. Values of a wrong form are left to validation. */
export function checkIds(
  scope: ShardScope,
  schema: Schema,
  fields: ValidatorMap,
  values: Readonly<Record<string, unknown>>,
  path: Path = [],
): void {
  for (const [field, validator] of Object.entries(fields)) {
    if (mayHoldIds(validator))
      checkValue(scope, schema, validator, Object.hasOwn(values, field) ? values[field] : undefined, [...path, field]);
  }
}
