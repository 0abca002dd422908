import { afterAll, beforeAll, expect, test } from "vitest";

import { appEntry, code, inspect, NAMESPACES, read, step, write } from "../testing/client.ts";
import { TestWorker } from "../testing/workerd.ts";

let worker: TestWorker;

beforeAll(async () => {
  worker = await TestWorker.start({ entry: appEntry("store"), namespaces: NAMESPACES });
});

afterAll(() => worker?.stop());

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

const samples: Record<string, Record<string, unknown>> = {
  texts: { text: "", nothing: null, literal: "only" },
  "text with every kind of character": { text: "a\u0000b\u2028\u{1f600}'\"\\%_`\uFFFF" },
  numbers: { number: -1.5, time: 1_700_000_000_000 },
  "large and small numbers": { number: 2 ** 60 + 2 ** 10, time: Number.MIN_VALUE },
  bigints: { big: 123_456_789_012_345_678_901_234_567_890n, mixed: -9_007_199_254_740_993n },
  bytes: { bin: bytes(0, 255, 1), mixed: bytes() },
  flags: { flag: false, mixed: true },
  "deep any": { anything: { a: [1n, new Date(5), new Map([["k", new Set([1])]]), null, bytes(7)], ["__proto__"]: 1 } },
  lists: {
    list: ["a", "", "b"],
    record: { x: 1, "y z": -2 },
    object: { inner: 2n ** 70n },
    place: { lat: 1.5, lng: -0.25 },
  },
  "arrays that begin with the wire's tag": { anything: ["$lunora.wire$", "bigint", "1"], list: ["$lunora.wire$"] },
  "not finite in any": { anything: [Number.NaN, Infinity, -Infinity, undefined] },
  nothing: {},
};

test.each(Object.entries(samples))("%s come back as they went in", async (_, fields) => {
  const [id] = await write(worker, step("values", "insert", fields));
  const [row] = await read(worker, step("values", "get", id));
  const { _id, _creationTime, ...columns } = row;
  expect(_id).toBe(id);
  expect(_creationTime).toBeGreaterThan(1_600_000_000_000);
  expect(columns).toEqual(fields);
});

test("negative zero becomes zero, everywhere in a row", async () => {
  const [id] = await write(worker, step("values", "insert", { number: -0, anything: { deep: [-0] }, mixed: -0 }));
  const [row] = await read(worker, step("values", "get", id));
  expect(Object.is(row.number, 0) && Object.is(row.anything.deep[0], 0) && Object.is(row.mixed, 0)).toBe(true);
  const [found] = await read(worker, step("values", "findMany", { where: { mixed: -0, _id: id } }));
  expect(found).toHaveLength(1);
});

test("text that is half a character is refused wherever it is", async () => {
  for (const fields of [
    { text: "a\ud800" },
    { anything: { deep: ["\udc00"] } },
    { anything: { "\ud800": 1 } },
    { record: { "\ud800": 1 } },
    { list: ["\ud800b"] },
  ]) {
    expect(await code(worker, "store:write", { steps: [step("values", "insert", fields)] })).toBe("INVALID_TEXT");
  }
  expect(await code(worker, "store:read", { steps: [step("values", "findMany", { where: { text: "\ud800" } })] })).toBe(
    "INVALID_TEXT",
  );
});

test("a row of 2 MB is the largest, counted in bytes of UTF-8", async () => {
  // {"text":"…"} around it, and 22 characters of id.
  const room = 2_000_000 - '{"text":""}'.length - 22;
  // The body is limited to 1 MiB, so the text is grown inside.
  expect(await code(worker, "store:write", { steps: [step("values", "insert", { text: "€".repeat(400_000) })] })).toBe(
    "PAYLOAD_TOO_LARGE",
  );
  expect(await inspect(worker, "grow", { length: room })).toMatchObject({ ok: true });
  expect(await inspect(worker, "grow", { length: room + 1 })).toMatchObject({ ok: false, code: "ROW_TOO_LARGE" });
  expect(await inspect(worker, "grow", { length: Math.floor(room / 3), unit: "€" })).toMatchObject({ ok: true });
  expect(await inspect(worker, "grow", { length: Math.floor(room / 3) + 1, unit: "€" })).toMatchObject({
    ok: false,
    code: "ROW_TOO_LARGE",
  });
});

test("what no value may be is refused with the path of it", async () => {
  expect(await code(worker, "store:write", { steps: [step("values", "insert", { number: "1" })] })).toBe(
    "VALIDATION_ERROR",
  );
  expect(await code(worker, "store:write", { steps: [step("values", "insert", { unknown: 1 })] })).toBe(
    "VALIDATION_ERROR",
  );
  expect(await code(worker, "store:write", { steps: [step("values", "insert", { _id: "x" })] })).toBe(
    "VALIDATION_ERROR",
  );
  expect(await code(worker, "store:write", { steps: [step("values", "insert", null)] })).toBe("VALIDATION_ERROR");
  expect(await code(worker, "store:write", { steps: [step("nothing", "insert", {})] })).toBe("INTERNAL");
  expect(await code(worker, "store:write", { steps: [step("", "insert", "nothing", {})] })).toBe("UNKNOWN_TABLE");
});
