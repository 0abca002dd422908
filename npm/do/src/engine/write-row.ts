import { LunoraError } from "@lunora/errors";
import type { TriggerOperation } from "@lunora/server";

import { decodeFields, decodeRow, encodeRow } from "./document.ts";
import type { Document, Fields, StoredRow } from "./document.ts";
import { fillInsert, fillPatch, fillReplace, parseColumns } from "./fill.ts";
import type { RowAccess } from "./row-access.ts";
import type { Session } from "./session.ts";
import { assertIdHere, assertReachable, assertShardValue, checkIds, newId } from "./shard-scope.ts";
import type { Table } from "./table.ts";
import { runTriggers } from "./triggers.ts";
import type { DatabaseFactory } from "./triggers.ts";

/** What writing a row needs. */
export interface WriteHost {
  readonly session: Session;
  readonly createDatabase: DatabaseFactory;
  /** The policies that writes of the caller's own are under; absent where there are none. */
  readonly guard?: RowAccess | undefined;
  /** Asked about a row that is inserted into a global table, when it is final; refuses by rejecting. */
  readonly admit?: ((table: Table, row: StoredRow) => Promise<void>) | undefined;
}

function withoutOwn(document: Record<string, unknown>): Fields {
  const { _id, _creationTime, ...fields } = document;
  return fields;
}

/** The columns as before-triggers want them. `validate` is asked only when one of them changed something. */
async function afterBeforeTriggers(
  { session, createDatabase }: WriteHost,
  table: Table,
  operation: TriggerOperation,
  document: Document,
  previous: Document | undefined,
  validate: (fields: Fields) => Fields,
): Promise<Fields> {
  const event = { id: document._id, document, ...(previous === undefined ? {} : { previous }) };
  const replacement = await runTriggers(session, createDatabase, table, "before", operation, event);
  return replacement === undefined ? withoutOwn(document) : validate(withoutOwn(replacement));
}

/** The row that is to be written. A promise only where the table is global. */
export function existing(session: Session, table: Table, id: string): StoredRow | Promise<StoredRow> {
  assertIdHere(session.facts.host.scope, table, id);
  const row = session.row(table, id);
  return row instanceof Promise ? row.then((found) => assertFound(table, id, found)) : assertFound(table, id, row);
}

function assertFound(table: Table, id: string, row: StoredRow | undefined): StoredRow {
  if (row === undefined)
    throw new LunoraError("NOT_FOUND", `\`${table.name}\` has no row with this id`, {
      data: { table: table.name, id },
    });
  return row;
}

/** Inserts a row; resolves to its id. */
export async function insertRow(host: WriteHost, table: Table, input: unknown): Promise<string> {
  const { session } = host;
  const { facts } = session;
  const { scope, schema } = facts.host;
  assertReachable(scope, table);
  // Before anything can be refused: an insert that is refused counts where ids are derived.
  const id = facts.newId?.(table) ?? newId(scope, table);
  let fields = fillInsert(table, input, facts);
  const creationTime = facts.nextCreationTime();
  if (table.triggers("before", "insert").length > 0) {
    const document = { _id: id, _creationTime: creationTime, ...fields };
    fields = await afterBeforeTriggers(host, table, "insert", document, undefined, (changed) =>
      fillInsert(table, changed, facts),
    );
  }
  checkShard(table, fields);
  const after = encodeRow(table, id, creationTime, fields);
  if (host.guard !== undefined) await host.guard.checkWrite("insert", table, undefined, after);
  if (host.admit !== undefined) await host.admit(table, after);
  session.commit.apply({ table, id, before: undefined, after });
  if (table.triggers("after", "insert").length > 0) {
    await runTriggers(session, host.createDatabase, table, "after", "insert", {
      id,
      document: decodeRow(table, after),
    });
  }
  return id;

  function checkShard(checked: Table, values: Fields): void {
    const { shardMode } = checked.definition;
    if (shardMode.kind === "shardBy") assertShardValue(scope, checked, values[shardMode.field]);
    checkIds(scope, schema, checked.definition.columns, values);
  }
}

/** Writes the next state of a row that is there. `stored` holds removed columns too. */
async function updateRow(host: WriteHost, table: Table, before: StoredRow, stored: Fields, set: Fields): Promise<void> {
  const { session } = host;
  const { scope, schema } = session.facts.host;
  const own = { _id: before.id, _creationTime: before.creationTime };
  let next = stored;
  let changed = set;
  const previous = table.hasTriggers ? decodeRow(table, before) : undefined;
  if (table.triggers("before", "update").length > 0) {
    const visible = Object.fromEntries(Object.entries(next).filter(([field]) => table.columns.has(field)));
    const document = { ...own, ...visible };
    const fields = await afterBeforeTriggers(host, table, "update", document, previous, (replacement) => {
      const { set: validated, clear } = fillPatch(
        table,
        differences(visible, replacement),
        own,
        visible,
        session.facts,
      );
      changed = { ...changed, ...validated };
      const result = { ...visible, ...validated };
      for (const field of clear) delete result[field];
      return result;
    });
    const hidden = Object.fromEntries(Object.entries(next).filter(([field]) => !table.columns.has(field)));
    next = { ...hidden, ...fields };
  }
  checkIds(scope, schema, table.definition.columns, changed);
  const after = encodeRow(table, before.id, before.creationTime, next);
  if (host.guard !== undefined) await host.guard.checkWrite("update", table, before, after);
  session.commit.apply({ table, id: before.id, before, after });
  if (table.triggers("after", "update").length > 0) {
    const event = { id: before.id, document: decodeRow(table, after), previous: previous as Document };
    await runTriggers(session, host.createDatabase, table, "after", "update", event);
  }
}

/** The patch that leads from one state to the other. */
function differences(from: Fields, to: Fields): Fields {
  const patch: Fields = {};
  for (const [field, value] of Object.entries(to))
    if (value !== undefined && !Object.is(value, from[field])) patch[field] = value;
  for (const field of Object.keys(from)) if (to[field] === undefined) patch[field] = null;
  return patch;
}

export async function patchRow(host: WriteHost, table: Table, id: string, patch: unknown): Promise<void> {
  const { facts } = host.session;
  assertReachable(facts.host.scope, table);
  const found = existing(host.session, table, id);
  const before = found instanceof Promise ? await found : found;
  const stored = decodeFields(before.doc);
  const { set, clear } = fillPatch(table, patch, { _id: id, _creationTime: before.creationTime }, stored, facts);
  Object.assign(stored, set);
  for (const field of clear) delete stored[field];
  await updateRow(host, table, before, stored, set);
}

export async function replaceRow(host: WriteHost, table: Table, id: string, input: unknown): Promise<void> {
  const { facts } = host.session;
  assertReachable(facts.host.scope, table);
  const found = existing(host.session, table, id);
  const before = found instanceof Promise ? await found : found;
  const own = { _id: id, _creationTime: before.creationTime };
  const next = fillReplace(table, input, own, decodeFields(before.doc), facts);
  await updateRow(host, table, before, next, next);
}

/** Sets one column as the store itself needs it, whatever `.serverDefault` and `.$onUpdateFn` say. */
export async function setColumn(
  host: WriteHost,
  table: Table,
  before: StoredRow,
  field: string,
  value: unknown,
): Promise<void> {
  const stored = decodeFields(before.doc);
  const set =
    value === undefined ? {} : table.columns.has(field) ? parseColumns(table, { [field]: value }) : { [field]: value };
  if (value === undefined) delete stored[field];
  else Object.assign(stored, set);
  await updateRow(host, table, before, stored, set);
}
