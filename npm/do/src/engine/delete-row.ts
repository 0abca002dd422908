import { LunoraError } from "@lunora/errors";

import { decodeFields, decodeRow, encodeRow } from "./document.ts";
import type { Fields, StoredRow } from "./document.ts";
import type { FindHost } from "./find.ts";
import { rowsOf, WHOLE } from "./index-walk.ts";
import { termsOfOrder } from "./order.ts";
import { storageOf } from "./rows.ts";
import type { IncomingRelation } from "./schema.ts";
import { assertReachable, livesHere } from "./shard-scope.ts";
import { combine, raw, slot, sql } from "./statement.ts";
import type { Table } from "./table.ts";
import { runTriggers } from "./triggers.ts";
import { existing, setColumn } from "./write-row.ts";
import type { WriteHost } from "./write-row.ts";

/** How rows go: as their table says, or for good. */
export type DeleteMode = "declared" | "hard";

interface Removal {
  readonly table: Table;
  readonly row: StoredRow;
  readonly isMarked: boolean;
}

interface Detachment {
  readonly relation: IncomingRelation;
  readonly row: StoredRow;
}

/** Everything that one delete leads to, found before anything is written. */
interface Plan {
  /** Parents before children. */
  readonly removals: Map<string, Removal>;
  readonly detachments: Detachment[];
  /** A row that stays, and that does not let go of one that would be removed. */
  readonly holding: Detachment | undefined;
}

function keyOf(table: Table, id: string): string {
  return `${table.name}\u0000${id}`;
}

/** Rows whose foreign key points at the row. */
function children(
  find: FindHost,
  relation: IncomingRelation,
  target: Table,
  row: StoredRow,
  mode: DeleteMode,
): StoredRow[] {
  const source = relation.table.source(relation.field);
  const value =
    relation.references === "_id"
      ? row.id
      : relation.references === "_creationTime"
        ? row.creationTime
        : decodeRow(target, row)[relation.references];
  const key = source?.keyOf(value) ?? null;
  if (source === undefined || key === null) return [];
  const live = mode === "declared" ? relation.table.liveCondition : undefined;
  const matches = sql`${source.expression} = ${slot(key)}`;
  const where = live === undefined ? matches : combine([matches, raw(live, 2)], "AND");
  const terms = termsOfOrder(relation.table, undefined);
  return [...rowsOf(storageOf(find, relation.table), { table: relation.table, terms, range: WHOLE, where })];
}

/**
 * Follows the foreign keys that point at what goes. A row that is only marked stays for those that
 * point at it: cascades reach from it only into tables that mark as well. Between global tables and those of shards there is
 * no transaction, so nothing is followed there.
 */
function plan(find: FindHost, first: Table, row: StoredRow, mode: DeleteMode): Plan {
  const { schema, scope } = find;
  const removals = new Map<string, Removal>();
  const detachments: Detachment[] = [];
  const restricted: Detachment[] = [];
  const queue: Removal[] = [];
  const remove = (table: Table, found: StoredRow): void => {
    const key = keyOf(table, found.id);
    if (removals.has(key)) return;
    const removal = { table, row: found, isMarked: mode === "declared" && table.definition.softDelete !== undefined };
    removals.set(key, removal);
    queue.push(removal);
  };
  remove(first, row);
  for (let removal = queue.shift(); removal !== undefined; removal = queue.shift()) {
    for (const relation of schema.incoming(removal.table)) {
      if (first.isGlobal ? !relation.table.isGlobal : !livesHere(scope, relation.table)) continue;
      if (removal.isMarked && relation.onDelete === "set null") continue;
      if (removal.isMarked && relation.onDelete === "cascade" && relation.table.definition.softDelete === undefined)
        continue;
      for (const child of children(find, relation, removal.table, removal.row, mode)) {
        if (relation.onDelete === "cascade") remove(relation.table, child);
        else (relation.onDelete === "restrict" ? restricted : detachments).push({ relation, row: child });
      }
    }
  }
  const holding = restricted.find(({ relation, row: child }) => !removals.has(keyOf(relation.table, child.id)));
  return { removals, detachments, holding };
}

/** What is told to somebody who may not read the row leaves out which it is. */
async function refusal({ guard }: WriteHost, first: Table, { relation, row }: Detachment): Promise<LunoraError> {
  const { table, field } = relation;
  const isVisible = guard === undefined || (await guard.mayRead(table, row));
  return new LunoraError(
    "RELATION_RESTRICTED",
    `the row of \`${first.name}\` cannot be deleted: a row of \`${table.name}\` points at it through \`${field}\``,
    { data: { table: table.name, field, ...(isVisible ? { id: row.id } : {}) } },
  );
}

/** Deletes or marks a row, with everything that its relations lead to; policies are asked about the row alone. */
export async function deleteRow(
  { guard, ...host }: WriteHost,
  table: Table,
  id: string,
  mode: DeleteMode = "declared",
): Promise<void> {
  const { session } = host;
  assertReachable(session.facts.host.scope, table);
  const found = existing(session, table, id);
  const row = found instanceof Promise ? await found : found;
  const { softDelete } = table.definition;
  if (mode === "declared" && softDelete !== undefined && isMarked(table, row)) {
    throw new LunoraError("NOT_FOUND", `the row of \`${table.name}\` is deleted already`, {
      data: { table: table.name, id },
    });
  }
  if (guard !== undefined) await guard.checkWrite("delete", table, row, undefined);
  const planning = session.read(session.facts.host, [table], (find) => plan(find, table, row, mode));
  const { removals, detachments, holding } = planning instanceof Promise ? await planning : planning;
  if (holding !== undefined) throw await refusal({ ...host, guard }, table, holding);
  for (const { relation, row: child } of detachments) {
    // A row can be detached from several parents, or be removed as well: its present state counts.
    if (removals.has(keyOf(relation.table, child.id))) continue;
    const known = session.row(relation.table, child.id);
    const present = known instanceof Promise ? await known : known;
    if (present !== undefined)
      await setColumn(host, relation.table, present, relation.field, cleared(relation.table, relation.field));
  }
  for (const removal of [...removals.values()].toReversed()) await removeOne(host, removal);
}

/** What an emptied column holds: `null` where it takes it, nothing where it may be absent. */
function cleared(table: Table, field: string): null | undefined {
  return table.columns.get(field)?.validator.safeParse(null).ok === true ? null : undefined;
}

function isMarked(table: Table, row: StoredRow): boolean {
  const field = table.definition.softDelete?.field;
  return field !== undefined && (decodeFields(row.doc)[field] ?? null) !== null;
}

async function removeOne(host: WriteHost, removal: Removal): Promise<void> {
  const { session, createDatabase } = host;
  const { table, row } = removal;
  const event = table.hasTriggers ? { id: row.id, previous: decodeRow(table, row) } : { id: row.id };
  if (table.triggers("before", "delete").length > 0) {
    await runTriggers(session, createDatabase, table, "before", "delete", event);
  }
  // A trigger may have changed or removed the row.
  const known = session.row(table, row.id);
  const before = known instanceof Promise ? await known : known;
  if (before === undefined) return;
  const after = removal.isMarked ? marked(host, table, before) : undefined;
  session.commit.apply({ table, id: row.id, before, after });
  if (table.triggers("after", "delete").length > 0) {
    await runTriggers(session, createDatabase, table, "after", "delete", event);
  }
}

function marked(host: WriteHost, table: Table, row: StoredRow): StoredRow {
  const field = table.definition.softDelete?.field as string;
  const fields: Fields = { ...decodeFields(row.doc), [field]: host.session.facts.now };
  return encodeRow(table, row.id, row.creationTime, fields);
}

/** Takes the mark away. */
export async function restoreRow(host: WriteHost, table: Table, id: string): Promise<void> {
  const { softDelete } = table.definition;
  if (softDelete === undefined)
    throw new LunoraError("BAD_REQUEST", `\`${table.name}\` is not \`.softDelete()\`: its deleted rows are gone`);
  assertReachable(host.session.facts.host.scope, table);
  const found = existing(host.session, table, id);
  const row = found instanceof Promise ? await found : found;
  if (isMarked(table, row)) await setColumn(host, table, row, softDelete.field, cleared(table, softDelete.field));
}
