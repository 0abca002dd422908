import { expect, test } from "vitest";

import { MAX_PUSH_ENTRIES } from "./frames.ts";
import { parseFrame } from "./parse-frame.ts";

const GOOD: object[] = [
  { type: "connect", id: "1" },
  { type: "connect", id: "1", clientId: "c", caps: ["batch", "future"], context: { any: 1 } },
  { type: "subscribe", id: "1", query: { functionPath: "a:b", args: {} } },
  { type: "subscribe", id: "1", query: { functionPath: "a:b", args: {}, table: "t", sinceSeq: 0, sinceEpoch: "e" } },
  { type: "unsubscribe", id: "1" },
  { type: "shape_subscribe", id: "1", shape: { name: "s" }, sinceCheckpoint: 3, sinceEpoch: "e" },
  { type: "shape_subscribe", id: "1", shape: { name: "s", args: { a: 1 } } },
  { type: "shape_unsubscribe", id: "1" },
  { type: "push", id: "1", clientId: "c", entries: [{ clientSeq: 1, functionPath: "a:b", args: {} }], received: 0 },
  {
    type: "push",
    id: "1",
    clientId: "c",
    entries: [{ clientSeq: "x", mutationId: "m", functionPath: "a:b", args: {} }],
  },
  { type: "stream", id: "1", query: { functionPath: "a:b", args: {} }, sinceChunk: 1, generation: "g" },
  { type: "stream", id: "1", query: { functionPath: "a:b", args: {} }, replaces: "g" },
  { type: "whisper_subscribe", topic: "t" },
  { type: "whisper_unsubscribe", topic: "t" },
  { type: "whisper", topic: "t", data: [1], unknownField: true },
];

test.each(GOOD)("%j is read as it is", (frame) => {
  expect(parseFrame(JSON.stringify(frame))).toEqual(frame);
});

const entry = { clientSeq: 1, functionPath: "a:b", args: {} };
const BAD: string[] = [
  "",
  "not JSON",
  "null",
  "[]",
  "1",
  '"connect"',
  "{}",
  '{"type":1}',
  '{"type":"nothing"}',
  '{"type":"__proto__"}',
  '{"type":"toString"}',
  '{"type":"ack","id":"1"}',
  ...[
    { type: "connect" },
    { type: "connect", id: "" },
    { type: "connect", id: 1 },
    { type: "connect", id: "x".repeat(1025) },
    { type: "connect", id: "1", clientId: null },
    { type: "connect", id: "1", caps: "batch" },
    { type: "connect", id: "1", caps: [1] },
    { type: "subscribe", id: "1" },
    { type: "subscribe", id: "1", query: [] },
    { type: "subscribe", id: "1", query: { functionPath: "a:b" } },
    { type: "subscribe", id: "1", query: { functionPath: "a:b", args: [] } },
    { type: "subscribe", id: "1", query: { functionPath: "a:b", args: {}, sinceSeq: -1 } },
    { type: "subscribe", id: "1", query: { functionPath: "a:b", args: {}, sinceSeq: 1.5 } },
    { type: "unsubscribe" },
    { type: "shape_subscribe", id: "1", shape: { name: "s", args: [] } },
    { type: "shape_subscribe", id: "1", shape: { name: "s" }, sinceCheckpoint: "3" },
    { type: "push", id: "1", entries: [entry] },
    { type: "push", id: "1", clientId: "c", entries: [] },
    { type: "push", id: "1", clientId: "c", entries: Array.from({ length: MAX_PUSH_ENTRIES + 1 }, () => entry) },
    { type: "push", id: "1", clientId: "c", entries: [null] },
    { type: "push", id: "1", clientId: "c", entries: [{ ...entry, args: null }] },
    { type: "push", id: "1", clientId: "c", entries: [{ functionPath: "a:b", args: {} }] },
    { type: "push", id: "1", clientId: "c", entries: [{ ...entry, mutationId: 5 }] },
    { type: "push", id: "1", clientId: "c", entries: [entry], received: -1 },
    { type: "stream", id: "1", query: { functionPath: "a:b" } },
    { type: "whisper_subscribe" },
    { type: "whisper", topic: {} },
  ].map((frame) => JSON.stringify(frame)),
];

test.each(BAD)("%s is refused with a code", (text) => {
  expect(() => parseFrame(text)).toThrow(expect.objectContaining({ code: "FRAME_MALFORMED" }));
});
