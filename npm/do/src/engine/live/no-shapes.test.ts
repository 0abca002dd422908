import { CLOSE_CODES } from "@lunora/protocol";
import { defineSchema, defineShape, defineTable, v } from "@lunora/server";
import type { LunoraDefinition } from "@lunora/server";
import { afterEach, expect, test, vi } from "vitest";

import { MemoryShard } from "../../../testing/memory-shard.ts";
import type { MemoryClient } from "../../../testing/memory-shard.ts";
import { shaping } from "./shaping.ts";

const withoutShapes: LunoraDefinition = {
  schema: defineSchema({ notes: defineTable({ text: v.string() }) }),
  functions: {},
  app: {},
};
const withShapes: LunoraDefinition = {
  ...withoutShapes,
  shapes: {
    all: {
      table: "notes",
      address: { kind: "root" },
      module: async () => ({ all: defineShape({ table: "notes" }) }),
      exportName: "all",
    },
  },
};

let shard: MemoryShard;

afterEach(() => {
  vi.restoreAllMocks();
  shard.sqlite.close();
});

async function subscribed(definition: LunoraDefinition): Promise<MemoryClient> {
  shard = await new MemoryShard(definition).open();
  const client = shard.connect("c");
  client.send({ type: "shape_subscribe", id: "s", shape: { name: "all" } });
  await shard.settle();
  return client;
}

test("an app without shapes has none of the name", async () => {
  const { frames } = await subscribed(withoutShapes);
  expect(frames).toContainEqual({
    type: "error",
    id: "s",
    error: { code: "SHAPE_NOT_FOUND", status: 404, message: "there is no shape `all`", data: { name: "all" } },
  });
});

test("shapes without what answers for them are a fault of the build, which the log names", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const { frames } = await subscribed(withShapes);
  expect(frames).toContainEqual(
    expect.objectContaining({ id: "s", error: expect.objectContaining({ code: "INTERNAL" }) }),
  );
  expect(String(log.mock.calls)).toContain("run codegen again");
});

test("who slept through the end of the app's shapes connects again", async () => {
  const definition: { -readonly [Part in keyof LunoraDefinition]: LunoraDefinition[Part] } = { ...withShapes, shaping };
  const { frames, socket } = await subscribed(definition);
  expect(frames.map(({ type }) => type)).not.toContain("error");
  delete definition.shaping;
  delete definition.shapes;
  await shard.sleep();
  await shard.settle();
  expect(socket.closed?.code).toBe(CLOSE_CODES.reload);
});
