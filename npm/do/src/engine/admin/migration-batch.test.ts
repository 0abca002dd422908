import { defineSchema, defineTable, v } from "@lunora/server";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { checkProperty } from "../../../../test-seed.ts";
import { MemorySqlite } from "../../../testing/memory-sqlite.ts";
import { Commit } from "../commit.ts";
import { encodeRow } from "../document.ts";
import { Schema } from "../schema.ts";
import { scopeOf } from "../shard-scope.ts";
import { createInternalTables, applySchema } from "../storage-layout.ts";
import { runBatch } from "./migration-batch.ts";
import { isReached, START, target, toPosition } from "./migration-position.ts";
import type { Direction, Position } from "./migration-position.ts";

const schema = new Schema(defineSchema({ rows: defineTable({ n: v.number(), isBad: v.boolean() }) }));
const scope = scopeOf("__root__");
const table = schema.table("rows");

type Command =
  | { readonly type: "batch"; readonly direction: Direction; readonly most: number }
  | { readonly type: "insert"; readonly time: number; readonly id: string }
  | { readonly type: "spoil"; readonly row: number };

const commands = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant("batch" as const),
        direction: fc.constantFrom<Direction>("up", "up", "down"),
        most: fc.integer({ min: 1, max: 5 }),
      }),
    },
    // Few times, so that ids have to break ties.
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant("insert" as const),
        time: fc.integer({ min: 0, max: 2 }),
        id: fc.stringMatching(/^[a-c]$/),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("spoil" as const), row: fc.nat(30) }) },
  ),
  { maxLength: 60 },
);

interface ModelRow {
  readonly id: string;
  readonly time: number;
  n: number;
  isBad: boolean;
}

function run(list: readonly Command[]): void {
  const sql = new MemorySqlite();
  createInternalTables(sql);
  applySchema(sql, schema, scope);
  const model: ModelRow[] = [];
  let position: Position = START;
  let inserted = 0;
  const isBehind = ({ time, id }: ModelRow): boolean => {
    if (position.place === "start" || position.place === "end") return position.place === "end";
    const order = time - position.creationTime || (id < position.id ? -1 : id > position.id ? 1 : 0);
    return position.place === "after" ? order <= 0 : order < 0;
  };
  const write = (commit: Commit, row: ModelRow): void => {
    const before = sql.exec("SELECT id, _creationTime, doc, keys FROM rows WHERE id = ?", row.id).toArray()[0];
    commit.apply({
      table,
      id: row.id,
      before:
        before === undefined
          ? undefined
          : encodeRow(table, row.id, row.time, JSON.parse(before["doc"] as string) as Record<string, unknown>),
      after: encodeRow(table, row.id, row.time, { n: row.n, isBad: row.isBad }),
    });
  };
  for (const command of list) {
    if (command.type === "insert") {
      const row = { id: `${command.id}${(inserted += 1)}`, time: command.time, n: 0, isBad: false };
      // An import brings rows of any age; whoever wrote them knows on which side they are.
      row.n = isBehind(row) ? 1 : 0;
      model.push(row);
      write(new Commit(sql), row);
    } else if (command.type === "spoil") {
      const row = model[command.row];
      if (row === undefined) continue;
      row.isBad = !row.isBad;
      write(new Commit(sql), row);
    } else {
      const { direction, most } = command;
      const by = direction === "up" ? 1 : -1;
      const end = runBatch(
        sql,
        {
          schema,
          scope,
          table,
          now: 0,
          transform: (doc) => {
            if (doc.isBad) throw new Error("bad");
            return { ...doc, n: doc.n + by };
          },
        },
        new Commit(sql),
        position,
        direction,
        most,
      );
      const wasDone = isReached(position, direction);
      const before = position;
      // As it is remembered.
      position = toPosition(JSON.parse(JSON.stringify(end.position))) as Position;
      for (const row of model) row.n = isBehind(row) ? 1 : 0;
      expect(end.rows).toBeLessThanOrEqual(most);
      expect(end.changed).toBe(end.rows);
      if (wasDone) expect(end.position).toEqual(before);
      if (end.failure === undefined)
        expect(end.rows === most || end.position.place === target(direction).place).toBe(true);
      else expect(model.find(({ id }) => id === end.failure?.id)?.isBad).toBe(true);
    }
    const stored = sql.exec("SELECT id, doc ->> 'n' AS n FROM rows ORDER BY id").toArray();
    const expected = model.map(({ id, n }) => ({ id, n })).toSorted((one, other) => (one.id < other.id ? -1 : 1));
    expect(stored).toEqual(expected);
  }
  sql.close();
}

test("whatever is run, in whatever batches: rows behind the line are migrated once, the others not", () => {
  checkProperty(fc.property(commands, run));
});

test("a position that is none is told", () => {
  for (const value of [
    null,
    1,
    "end",
    {},
    { place: "middle" },
    { place: "after" },
    { place: "after", creationTime: "1", id: "a" },
  ])
    expect(toPosition(value)).toBeUndefined();
});
