import { defineSchema, defineTable, v } from "@lunora/server";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { checkProperty } from "../../../test-seed.ts";
import { MemorySqlite } from "../../testing/memory-sqlite.ts";
import type { Change } from "./commit.ts";
import type { StoredRow } from "./document.ts";
import { createLogTables, OpLog } from "./op-log.ts";
import { Schema } from "./schema.ts";

const schema = new Schema(defineSchema({ a: defineTable({ text: v.string() }), b: defineTable({ text: v.string() }) }));

type State = ReadonlyMap<string, StoredRow>;

const keyOf = (table: string, id: string): string => `${table} ${id}`;

/** Groups of writes; a write of a row that is there replaces or deletes it. */
const groups = fc.array(
  fc.array(
    fc.record({
      table: fc.constantFrom("a", "b"),
      id: fc.constantFrom("1", "2", "3", "4"),
      length: fc.oneof(
        { weight: 30, arbitrary: fc.nat(20) },
        { weight: 1, arbitrary: fc.constantFrom(33_000, 70_000, 300_000) },
      ),
      unit: fc.constantFrom("x", "ü", "\u{1F600}"),
      removes: fc.boolean(),
    }),
    { minLength: 1, maxLength: 9 },
  ),
  { maxLength: 5 },
);

test("what changed since any position is the difference between the states, row by row", () => {
  checkProperty(
    fc.property(groups, fc.nat(40), (plan, trimmed) => {
      const sqlite = new MemorySqlite();
      try {
        createLogTables(sqlite);
        let log = new OpLog(sqlite, schema, "object");
        let state: State = new Map();
        const states: State[] = [state];
        for (const group of plan) {
          const changes: Change[] = [];
          for (const { table, id, length, unit, removes } of group) {
            const key = keyOf(table, id);
            const before = state.get(key);
            const after: StoredRow | undefined =
              before !== undefined && removes
                ? undefined
                : {
                    id,
                    creationTime: before?.creationTime ?? 1_700_000_000_000 + states.length / 1024,
                    doc: JSON.stringify({ text: unit.repeat(length) + String(states.length) }),
                    keys: null,
                  };
            const next = new Map(state);
            if (after === undefined) next.delete(key);
            else next.set(key, after);
            state = next;
            states.push(state);
            changes.push({ table: schema.table(table), id, before, after });
          }
          log.append(changes, 1_700_000_000_000);
          expect(log.head).toBe(states.length - 1);
        }
        // As after a restart.
        const { epoch } = log;
        log = new OpLog(sqlite, schema, "object");
        expect([log.epoch, log.head]).toEqual([epoch, states.length - 1]);
        if (log.head > 0) log.trim(Math.min(trimmed, log.head));
        expect(log.changesSince(log.head + 1)).toBeUndefined();
        expect(log.changesSince(log.floor - 2)).toBeUndefined();
        expect(log.changesSince(0.5)).toBeUndefined();
        for (let seq = log.floor - 1; seq <= log.head; seq += 1) {
          const from = states[seq] as State;
          const told = log.changesSince(seq) ?? [];
          const rebuilt = new Map(from);
          for (const { table, id, before, after } of told) {
            const key = keyOf(table.name, id);
            expect(before).toEqual(from.get(key));
            if (after === undefined) rebuilt.delete(key);
            else rebuilt.set(key, after);
          }
          expect(rebuilt).toEqual(state);
          expect(new Set(told.map(({ table, id }) => keyOf(table.name, id))).size).toBe(told.length);
        }
      } finally {
        sqlite.close();
      }
    }),
    25,
  );
}, 60_000);
