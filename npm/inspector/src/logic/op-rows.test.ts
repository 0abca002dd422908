import { expect, test } from "vitest";
import type { EventOf } from "../api/events.ts";
import { opRows } from "./op-rows.ts";

const commit = (more: Partial<EventOf<"commit">> = {}): EventOf<"commit"> => ({
  type: "commit",
  n: 7,
  at: 5,
  object: "rooms:1",
  epoch: "e",
  fromSeq: 3,
  toSeq: 5,
  by: "calls",
  calls: [
    { call: "a", functionPath: "rooms:add", fromSeq: 3, toSeq: 4 },
    { call: "b", functionPath: "rooms:remove", fromSeq: 4, toSeq: 5 },
  ],
  changes: [
    { seq: 4, table: "rooms", id: "x", op: "insert" },
    { seq: 5, table: "rooms", id: "y", op: "delete" },
  ],
  ...more,
});

const fault: EventOf<"fault"> = {
  type: "fault",
  n: 8,
  at: 6,
  fault: "dropSocket",
  state: "happened",
  by: "user",
  object: "rooms:1",
  details: {},
};

test("each change names the call that made it", () => {
  expect(opRows([commit()], {}).map((row) => row.kind === "change" && [row.change.id, row.call?.call])).toEqual([
    ["x", "a"],
    ["y", "b"],
  ]);
});

test("changes that a commit does not list are counted, with the place where they are", () => {
  const many = commit({ toSeq: 25, omitted: 20 });
  expect(opRows([many], {}).at(-1)).toEqual({
    kind: "unlisted",
    n: 7,
    at: 5,
    object: "rooms:1",
    count: 20,
    toSeq: 25,
    calls: undefined,
  });
  const brief = commit({ calls: [], changes: [], omitted: 2, omittedCalls: 2 });
  expect(opRows([brief], {})).toMatchObject([{ kind: "unlisted", count: 2, toSeq: 5, calls: 2 }]);
});

test("whoever filters is shown changes alone", () => {
  const events = [commit({ toSeq: 25, omitted: 20 }), fault];
  expect(opRows(events, {}).map(({ kind }) => kind)).toEqual(["change", "change", "unlisted", "fault"]);
  expect(opRows(events, { op: "delete" }).map((row) => row.kind === "change" && row.change.id)).toEqual(["y"]);
});
