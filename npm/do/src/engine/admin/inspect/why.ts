import { LunoraError } from "@lunora/errors";
import { encodeValue } from "@lunora/protocol";

import { decodeRow } from "../../document.ts";
import type { Document, StoredRow } from "../../document.ts";
import { Membership } from "../../live/membership.ts";
import { rowMeets } from "../../row-access.ts";
import { readRow } from "../../rows.ts";
import type { SqlStorage } from "../../sql.ts";
import type { Table } from "../../table.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf, text } from "../arguments.ts";
import { clausesOfShape } from "./clauses.ts";
import type { Clause, ClauseSource } from "./clauses.ts";
import { identityIn } from "./questions.ts";
import { readableSql } from "./readable-sql.ts";

/** Clauses, parts of others included, that are told. */
const CLAUSES = 1_000;

/** Operands of one clause that are told. */
const OPERANDS = 100;

/** A clause, and whether it holds for a row. */
export interface ToldClause {
  readonly clause: string;
  readonly source: ClauseSource;
  readonly columns: readonly string[];
  /** Wire-encoded; at most 100. */
  readonly operands: readonly unknown[];
  /** What the row has there, wire-encoded; absent in a combination and where the row has nothing. */
  readonly value?: unknown;
  /** `null` without a row. */
  readonly holds: boolean | null;
  /** What a combination consists of. */
  readonly parts?: readonly ToldClause[];
}

/** Whether a row is a member of a shape, and why. */
export interface MembershipVerdict {
  /** What subscribers are sent goes by this. */
  readonly isMember: boolean;
  /** All have to hold. */
  readonly clauses: readonly ToldClause[];
  readonly sql: string;
  /** Wire-encoded; `null` when there is no row with the id. */
  readonly row: unknown;
}

/** Tells clauses; of a row, when there is one, whether they hold. */
export function tellClauses(
  storage: SqlStorage,
  table: Table,
  clauses: readonly Clause[],
  row: StoredRow | undefined,
): ToldClause[] {
  const document: Document | undefined = row === undefined ? undefined : decodeRow(table, row);
  let count = 0;
  const tell = ({ text: clause, source, columns, operands, where, parts }: Clause): ToldClause => {
    count += 1;
    if (count > CLAUSES)
      throw new LunoraError("QUERY_TOO_COMPLEX", `the condition has more than ${CLAUSES} clauses to tell`);
    const [column] = columns;
    const isLeaf = parts.length === 0 && columns.length === 1 && column !== undefined;
    const hasValue = isLeaf && document !== undefined && Object.hasOwn(document, column);
    return {
      clause: clause.slice(0, 1_000),
      source,
      columns,
      operands: operands.slice(0, OPERANDS).map((operand) => encodeValue(operand)),
      ...(hasValue ? { value: encodeValue(document[column]) } : {}),
      // The store's own conditions, asked of the row as it is stored: there is no second meaning of operators.
      holds: row === undefined ? null : where !== false && rowMeets(storage, table, row, where),
      ...(parts.length === 0 ? {} : { parts: parts.map(tell) }),
    };
  };
  return clauses.map(tell);
}

/**
 * Whether a row is in a shape for a caller, clause by clause: `{shape, args, id, identity?, table?}`. Condition and row are
 * of the same moment.
 */
export function why({ engine }: ShardAdminHost, argument: unknown): Promise<MembershipVerdict> {
  const fields = fieldsOf(argument);
  const name = text(fields, "shape");
  const id = text(fields, "id");
  const identity = identityIn(fields);
  return engine.exclusively(async () => {
    const { shape, predicate } = await engine.insides.shapes.ask(name, fields["args"] ?? {}, identity);
    const { table, projection } = shape;
    if (fields["table"] !== undefined && fields["table"] !== table.name)
      throw new LunoraError("BAD_REQUEST", `shape \`${name}\` is over \`${table.name}\``);
    const { findHost } = engine;
    // Of a global table only rows that somebody is subscribed to are here, and before the first one no table is.
    const [isThere] = findHost.storage.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table.stored).toArray();
    const row = isThere === undefined ? undefined : readRow(findHost, table, id);
    const membership = new Membership(projection, predicate.condition);
    return {
      isMember: row !== undefined && membership.has(findHost.storage, row),
      clauses: tellClauses(findHost.storage, table, clausesOfShape(table, predicate.parts), row),
      sql: readableSql(table, predicate.condition),
      row: row === undefined ? null : encodeValue(decodeRow(table, row)),
    };
  });
}
