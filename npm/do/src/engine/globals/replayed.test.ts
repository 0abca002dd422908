import { expect, test } from "vitest";

import { replayed } from "./replayed.ts";
import { Schema } from "../schema.ts";
import { defineSchema, defineTable, v } from "@lunora/server";

const schema = new Schema(defineSchema({ users: defineTable({ name: v.string() }).global() }));
const users = schema.table("users");

test("asks for each statement once, one after the other, and ends with what the reader makes of them", async () => {
  const asked: string[] = [];
  let runs = 0;
  const result = await replayed(
    async (table, { text, bindings }) => {
      asked.push(`${table.name} ${text} ${bindings.join()}`);
      return [{ n: Number(bindings[0]) * 10, m: null }];
    },
    (far) => {
      runs += 1;
      const storage = far(users);
      const first = storage.exec("one", 1).toArray()[0]?.["n"] as number;
      const again = storage.exec("one", 1).toArray()[0]?.["n"] as number;
      const [second] = [...storage.exec("two", first).raw()];
      return [first, again, second];
    },
  );
  expect(result).toEqual([10, 10, [100, null]]);
  expect(asked).toEqual(["users one 1", "users two 10"]);
  expect(runs).toBe(3);
});

test("passes on what the reader throws, and what the database does", async () => {
  const refuse = (): never => {
    throw new Error("refused by the reader");
  };
  await expect(replayed(async () => [], refuse)).rejects.toThrow("refused by the reader");
  const asks = (): Promise<unknown> =>
    replayed(
      async () => Promise.reject(new Error("refused by D1")),
      (far) => far(users).exec("one").toArray(),
    );
  await expect(asks()).rejects.toThrow("refused by D1");
});
