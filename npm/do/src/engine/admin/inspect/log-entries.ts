import { LunoraError } from "@lunora/errors";

import type { OpLog } from "../../op-log.ts";
import type { SqlStorage, SqlValue } from "../../sql.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf } from "../arguments.ts";
import { choice, optionalText, position, wholeNumber } from "./questions.ts";

/** Most entries of a page, and how many unless asked for fewer. */
const PAGE = 500;

/** Positions that one request looks at: there is no index by table or row. */
const LOOKED_AT = 50_000;

/** Characters of images after which a page takes no more entries. */
const PAGE_LENGTH = 4_000_000;

const COLUMNS = 'seq, ts, "table", id, op, creation_time, doc, before';

const OPERATIONS = ["insert", "update", "delete"] as const;

/** A change as the op-log has it. Images are documents in the wire codec, every stored column among them. */
export interface LogEntry {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly table: string;
  readonly id: string;
  readonly op: (typeof OPERATIONS)[number];
  /** `null` when the row was not there. */
  readonly before: unknown;
  /** `null` when the row was gone. */
  readonly after: unknown;
}

/** Which entries are wanted. */
export interface LogQuestion {
  /** Only positions behind this one, the oldest first; the newest first without it. */
  readonly after?: number | undefined;
  /** Only positions before this one. */
  readonly before?: number | undefined;
  readonly limit: number;
  readonly table?: string | undefined;
  readonly id?: string | undefined;
  readonly op?: string | undefined;
}

/** Some entries of the log. */
export interface LogPage {
  readonly epoch: string;
  readonly floor: number;
  readonly head: number;
  readonly entries: readonly LogEntry[];
  /** To be given as `before`, or as `after` where that was given, to go on; `null` when everything was looked at. */
  readonly next: number | null;
}

/** The entries of a log that is read with nothing in between. */
export function logPage(storage: SqlStorage, log: OpLog, question: LogQuestion): LogPage {
  const { after, before = Infinity, limit, table, id, op } = question;
  const { epoch, floor, head } = log;
  const isForward = after !== undefined;
  const lowest = Math.max(floor, (after ?? 0) + 1);
  const highest = Math.min(head, before - 1);
  // Both included.
  const from = isForward ? lowest : Math.max(lowest, highest - LOOKED_AT + 1);
  const to = isForward ? Math.min(highest, lowest + LOOKED_AT - 1) : highest;
  const filters: readonly (readonly [string, string | undefined])[] = [
    ['"table"', table],
    ["id", id],
    ["op", op],
  ];
  const wanted = filters.filter(([, value]) => value !== undefined);
  const select = (columns: string, first: number, last: number): SqlValue[][] => [
    ...storage
      .exec(
        `SELECT ${columns} FROM __cdc_log WHERE seq BETWEEN ? AND ?${wanted
          .map(([column]) => ` AND ${column} = ?`)
          .join("")} ORDER BY seq${isForward ? "" : " DESC"} LIMIT ?`,
        first,
        last,
        ...wanted.map(([, value]) => value as string),
        limit,
      )
      .raw(),
  ];
  // Lengths first: 500 images in their rows can be 65 MB.
  const found = select("seq, coalesce(octet_length(doc), 0) + coalesce(octet_length(before), 0)", from, to);
  let length = 0;
  const fitting: number[] = [];
  for (const [seq, bytes] of found as [number, number][]) {
    if (length > PAGE_LENGTH) break;
    fitting.push(seq);
    length += bytes;
  }
  const entries: LogEntry[] = [];
  length = 0;
  const rows = fitting.length === 0 ? [] : select(COLUMNS, Math.min(...fitting), Math.max(...fitting));
  for (const row of rows) {
    // Images in chunks were not counted before.
    if (length > PAGE_LENGTH) break;
    const [entry, characters] = toEntry(log, row);
    entries.push(entry);
    length += characters;
  }
  const mayHaveMore = found.length === limit || entries.length < found.length;
  const last = entries.at(-1)?.seq;
  const reached = mayHaveMore && last !== undefined ? last : isForward ? to : from;
  const isEnd = isForward ? reached >= highest : reached <= lowest;
  return { epoch, floor, head, entries, next: isEnd ? null : reached };
}

function toEntry(log: OpLog, row: readonly SqlValue[]): readonly [LogEntry, number] {
  const [seq, at, table, id, op, creationTime, doc, previous] = row as [
    number,
    number,
    string,
    string,
    LogEntry["op"],
    number,
    string | null,
    string | null,
  ];
  const after = op === "delete" ? null : (doc ?? log.readImage(seq, "doc"));
  const before = op === "insert" ? null : (previous ?? log.readImage(seq, "before"));
  const toDocument = (text: string | null): unknown =>
    text === null ? null : { _id: id, _creationTime: creationTime, ...(JSON.parse(text) as object) };
  return [
    { seq, at, table, id, op, before: toDocument(before), after: toDocument(after) },
    (after?.length ?? 0) + (before?.length ?? 0),
  ];
}

/** A page of the op-log: `{before?, after?, limit?, table?, id?, op?}`. */
export function oplog({ engine }: ShardAdminHost, argument: unknown): LogPage {
  const fields = fieldsOf(argument);
  const after = position(fields, "after");
  const before = position(fields, "before");
  if (after !== undefined && before !== undefined && after >= before)
    throw new LunoraError("BAD_REQUEST", "`after` has to be less than `before`");
  const table = optionalText(fields, "table");
  // A table that is not in the schema any more may still be in the log.
  return logPage(engine.findHost.storage, engine.log, {
    after,
    before,
    limit: wholeNumber(fields, "limit", PAGE, 1, PAGE),
    table,
    id: optionalText(fields, "id"),
    op: choice(fields, "op", OPERATIONS),
  });
}
