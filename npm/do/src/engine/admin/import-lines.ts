import { LunoraError } from "@lunora/errors";
import { assertShallow } from "@lunora/protocol";

import type { SqlValue } from "../sql.ts";
import { COMPANIONS } from "./companions.ts";
import type { CompanionRow } from "./companions.ts";

/** A row of the dump, wire-encoded. */
export interface RowLine {
  readonly kind: "row";
  readonly table: string;
  readonly doc: Readonly<Record<string, unknown>>;
}

/** A row of what rides along. */
export interface CompanionLine {
  readonly kind: "companion";
  readonly table: string;
  readonly row: CompanionRow;
}

/** A line and where it stands in the dump. */
export interface NumberedLine {
  readonly number: number;
  readonly line: RowLine | CompanionLine;
}

function refuse(number: number, why: string, cause?: unknown): never {
  throw new LunoraError("IMPORT_ROW_REFUSED", `line ${number}: ${why}`, { data: { line: number }, cause });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isColumnValue(value: unknown): value is SqlValue {
  return value === null || typeof value === "string" || typeof value === "number";
}

/** Reads `<number> <JSON>` line by line. */
export function parseLines(text: string): NumberedLine[] {
  const lines = text.split("\n");
  // What is behind the last line's end.
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => {
    const space = line.indexOf(" ");
    const number = Number(line.slice(0, space));
    if (space <= 0 || !Number.isSafeInteger(number) || number < 1)
      throw new LunoraError("BAD_REQUEST", "a line has to begin with its number");
    const json = line.slice(space + 1);
    let value: unknown;
    try {
      assertShallow(json, "the line");
      value = JSON.parse(json);
    } catch (error) {
      refuse(number, "it is not JSON, or nested too deep", error);
    }
    if (!isRecord(value) || typeof value["table"] !== "string") refuse(number, "it is not `{table, doc}`");
    const { kind, table, doc, row } = value as { kind?: unknown; table: string; doc?: unknown; row?: unknown };
    if (kind === "companion") {
      if (!COMPANIONS.includes(table) || !isRecord(row) || !Object.values(row).every(isColumnValue))
        refuse(number, "it is not a row that rides along");
      return { number, line: { kind, table, row: row as CompanionRow } };
    }
    if (kind !== undefined || !isRecord(doc)) refuse(number, "it is not `{table, doc}`");
    return { number, line: { kind: "row", table, doc } };
  });
}
