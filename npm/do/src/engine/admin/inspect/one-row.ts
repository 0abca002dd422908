import { encodeValue } from "@lunora/protocol";

import { decodeRow } from "../../document.ts";
import { readRow } from "../../rows.ts";
import { assertIdHere, assertLivesHere } from "../../shard-scope.ts";
import type { ShardAdminHost } from "../admin-part.ts";
import { fieldsOf, text } from "../arguments.ts";
import { logPage } from "./log-entries.ts";
import type { LogEntry } from "./log-entries.ts";

/** Changes that are told of a row. */
const HISTORY = 50;

/** A row and what became of it. */
export interface RowHistory {
  /** Wire-encoded; `null` when there is no such row (any more). */
  readonly row: unknown;
  /** The newest first. */
  readonly history: readonly LogEntry[];
  /** Positions before this one were not looked at; `null` when all were. */
  readonly next: number | null;
}

/** A row and its changes, of one moment: `{table, id}`. */
export function row({ engine }: ShardAdminHost, argument: unknown): RowHistory {
  const fields = fieldsOf(argument);
  const { findHost, log } = engine;
  const table = findHost.schema.table(text(fields, "table"));
  const id = text(fields, "id");
  assertLivesHere(findHost.scope, table);
  assertIdHere(findHost.scope, table, id);
  const stored = readRow(findHost, table, id);
  const { entries, next } = logPage(findHost.storage, log, { limit: HISTORY, table: table.name, id });
  return { row: stored === undefined ? null : encodeValue(decodeRow(table, stored)), history: entries, next };
}
