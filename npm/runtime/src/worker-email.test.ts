import { defineApp, defineSchema, defineTable, v } from "@lunora/server";
import { expect, test } from "vitest";

import { createWorker } from "./create-worker.ts";

const schema = defineSchema({ notes: defineTable({ text: v.string() }) });

test("a worker takes mails exactly when the app does: the platform refuses them otherwise", () => {
  expect(Object.keys(createWorker({ schema, functions: {}, app: defineApp({}) }))).toEqual(["fetch"]);
  const app = defineApp({ email: () => {} });
  expect(Object.keys(createWorker({ schema, functions: {}, app })).toSorted()).toEqual(["email", "fetch"]);
});
