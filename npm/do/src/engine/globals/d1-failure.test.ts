import { expect, test } from "vitest";

import { failureKind } from "./d1-failure.ts";

test.each([
  ["D1_ERROR: NOT NULL constraint failed: __lunora_meta.value: SQLITE_CONSTRAINT", "lost race"],
  ["D1_ERROR: UNIQUE constraint failed: __lunora_idempotency.key: SQLITE_CONSTRAINT", "repeated"],
  ["D1_ERROR: UNIQUE constraint failed: index 'users__by_email': SQLITE_CONSTRAINT", "not unique"],
  ["D1_ERROR: UNIQUE constraint failed: users.id: SQLITE_CONSTRAINT", "not unique"],
  ["D1_ERROR: no such table: users: SQLITE_ERROR", "layout"],
  ["D1_ERROR: string or blob too big: SQLITE_TOOBIG", "refused"],
  ["D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", "refused"],
  ["D1_ERROR: the body has more than 67108864 bytes: PAYLOAD_TOO_LARGE", "refused"],
  ["D1_ERROR: Network connection lost.", "unanswered"],
  ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "unanswered"],
  ["D1_ERROR: database is locked: SQLITE_BUSY", "unanswered"],
  ["D1_ERROR: disk I/O error: SQLITE_IOERR", "unanswered"],
  ["TypeError: fetch failed", "unanswered"],
])("%s: %s", (text, kind) => {
  expect(failureKind(new Error(text))).toBe(kind);
});
