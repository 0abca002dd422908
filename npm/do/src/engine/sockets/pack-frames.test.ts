import type { AckFrame, PokePartFrame, RowOperation, ServerFrame } from "@lunora/protocol";
import { expect, test } from "vitest";

import { frameTexts, pack } from "./pack-frames.ts";

const encoder = new TextEncoder();
const bytes = (text: string): number => encoder.encode(text).byteLength;
const row = (key: number, length: number): RowOperation => ({
  op: "insert",
  key: String(key),
  table: "t",
  value: { text: "ü".repeat(length) },
});

test("a frame that fits is itself", () => {
  const frame: ServerFrame = { type: "data", id: "1", data: ["ü"] };
  expect(frameTexts(frame)).toEqual([JSON.stringify(frame)]);
});

test("the limit is one of bytes, not of characters", () => {
  const frame: ServerFrame = { type: "data", id: "1", data: "ü".repeat(100) };
  const text = JSON.stringify(frame);
  expect(frameTexts(frame, bytes(text))).toEqual([text]);
  expect(JSON.parse(frameTexts(frame, bytes(text) - 1)[0] as string)).toMatchObject({
    type: "error",
    id: "1",
    error: { code: "RESULT_TOO_LARGE" },
  });
});

test("a long patch comes in parts that fit, reset first and lastMutationId last", () => {
  const frame: PokePartFrame = {
    type: "pokePart",
    pokeId: "p",
    shapeId: "s",
    baseCheckpoint: 4,
    rowsPatch: Array.from({ length: 333 }, (_, key) => row(key, key % 50)),
    reset: true,
    version: "v",
    lastMutationId: 9,
  };
  const texts = frameTexts(frame, 2_000);
  const parts = texts.map((text) => JSON.parse(text) as PokePartFrame);
  expect(texts.length).toBeGreaterThan(5);
  for (const text of texts) expect(bytes(text)).toBeLessThanOrEqual(2_000);
  expect(parts.flatMap(({ rowsPatch }) => rowsPatch)).toEqual(frame.rowsPatch);
  parts.forEach((part, index) => {
    expect(part).toMatchObject({ pokeId: "p", shapeId: "s", baseCheckpoint: 4 });
    expect([part.reset, part.version]).toEqual(index === 0 ? [true, "v"] : [undefined, undefined]);
    expect(part.lastMutationId).toBe(index === parts.length - 1 ? 9 : undefined);
  });
});

test("a row that is longer than a frame is told as an error of its subscription", () => {
  const frame: PokePartFrame = { type: "pokePart", pokeId: "p", shapeId: "s", rowsPatch: [row(1, 5), row(2, 5_000)] };
  const kinds = frameTexts(frame, 1_000).map((text) => JSON.parse(text));
  expect(kinds[0]).toMatchObject({ type: "pokePart", rowsPatch: [{ key: "1" }] });
  expect(kinds[1]).toMatchObject({ type: "error", id: "s", error: { code: "RESULT_TOO_LARGE" } });
});

test("an ack always arrives: its longest results are left out, errors keep their codes and statuses", () => {
  const frame: AckFrame = {
    type: "ack",
    id: "1",
    lastMutationId: 3,
    results: [
      { clientSeq: 1, result: "small" },
      { clientSeq: 2, result: "ü".repeat(2_000) },
      { clientSeq: 3, error: { code: "CONFLICT", status: 409, message: "no", data: "x".repeat(3_000) } },
    ],
  };
  const [text] = frameTexts(frame, 1_000);
  expect(JSON.parse(text as string)).toEqual({
    ...frame,
    results: [
      { clientSeq: 1, result: "small" },
      { clientSeq: 2 },
      { clientSeq: 3, error: { code: "CONFLICT", status: 409, message: "no" } },
    ],
  });
});

test("messages of a batch hold all frames in order and fit", () => {
  const texts = Array.from({ length: 100 }, (_, id) => JSON.stringify({ type: "resume", id: "ü".repeat(id % 30) }));
  expect(pack(texts, false, 1_000)).toEqual(texts);
  const messages = pack(texts, true, 1_000);
  expect(messages.length).toBeLessThan(30);
  for (const message of messages) expect(bytes(message)).toBeLessThanOrEqual(1_000);
  const frames = messages.flatMap((message) => {
    const parsed = JSON.parse(message) as { type: string; frames?: unknown[] };
    return parsed.type === "batch" ? (parsed.frames as unknown[]) : [parsed];
  });
  expect(frames).toEqual(texts.map((text) => JSON.parse(text) as unknown));
  expect(pack(["{}"], true)).toEqual(["{}"]);
});
