import { describe, expect, test } from "vitest";

import { MemorySqlite } from "../../../testing/memory-sqlite.ts";
import { PLACE_BYTES, SWEEP_CHUNKS } from "./stream-limits.ts";
import { Transcripts } from "./transcripts.ts";

const DAY = 86_400_000;
const NOW = 1_700_000_000_000;

const sumOf = (storage: MemorySqlite): unknown =>
  storage.exec("SELECT total(bytes) AS bytes FROM __stream_run").toArray()[0]?.["bytes"];

function ended(transcripts: Transcripts, key: string, chunks: number, now = NOW): void {
  transcripts.begin(key, key, DAY, now);
  transcripts.append(key, 0, Array<string>(chunks).fill("1"), now);
  transcripts.end(key, undefined, now);
}

describe("what is kept of all runs", () => {
  test("is bounded: those go first whose time is over first, and no more than have to", () => {
    const storage = new MemorySqlite();
    let swept = 0;
    // Room for three runs of one chunk of a byte.
    const transcripts = new Transcripts(storage, 3 * (2 * PLACE_BYTES + 1), () => (swept += 1));
    ended(transcripts, "b", 1, NOW + 1);
    ended(transcripts, "a", 1);
    ended(transcripts, "c", 1, NOW + 2);
    expect(swept).toBe(0);
    ended(transcripts, "d", 1, NOW + 3);
    expect(["a", "b", "c", "d"].filter((key) => transcripts.find(key, NOW + 3) !== undefined)).toEqual(["b", "c", "d"]);
    expect(swept).toBeGreaterThan(0);
    expect(transcripts.nextExpiry()).toBeLessThanOrEqual(NOW + 3);
    transcripts.sweep(NOW + 3);
    expect(transcripts.read("a", 0, 1)).toEqual([]);
    expect(sumOf(storage)).toBe(3 * (2 * PLACE_BYTES + 1));
  });

  test("is counted on by the next object, and given back by what is replaced, forgotten or swept", () => {
    const storage = new MemorySqlite();
    const limit = 10 * PLACE_BYTES;
    ended(new Transcripts(storage, limit), "a", 5);
    const transcripts = new Transcripts(storage, limit);
    transcripts.begin("a", "a 2", DAY, NOW);
    transcripts.append("a 2", 0, Array<string>(8).fill("1"), NOW);
    expect(() => transcripts.append("a 2", 8, ["1"], NOW)).toThrow(
      expect.objectContaining({ code: "STREAM_TOO_LONG" }) as Error,
    );
    expect(transcripts.find("a", NOW)).toMatchObject({ generation: "a 2", chunks: 8 });
    transcripts.end("a 2", undefined, NOW);
    while (transcripts.nextExpiry() !== null) transcripts.sweep(NOW + 2 * DAY);
    expect(sumOf(storage)).toBe(0);
    ended(transcripts, "b", 8);
    expect(transcripts.find("b", NOW)?.chunks).toBe(8);
  });

  test("is counted of runs that were stored before there was a count, from then on", () => {
    const storage = new MemorySqlite();
    storage.exec(`CREATE TABLE __stream_run(generation TEXT PRIMARY KEY, key TEXT UNIQUE,
        chunks INTEGER NOT NULL, ttl INTEGER NOT NULL, error TEXT, expires INTEGER) WITHOUT ROWID;
      CREATE TABLE __stream_chunk(generation TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT,
        PRIMARY KEY(generation, seq)) WITHOUT ROWID;
      INSERT INTO __stream_run VALUES('old', 'old', 1, 1, NULL, ${NOW});
      INSERT INTO __stream_chunk VALUES('old', 1, '5')`);
    const transcripts = new Transcripts(storage, 1_000);
    expect(transcripts.find("old", NOW - 1)).toMatchObject({ chunks: 1 });
    ended(transcripts, "new", 1);
    expect(sumOf(storage)).toBe(2 * PLACE_BYTES + 1);
  });
});

test("a run that is swept while it is read has no gaps: it has its beginning, or nothing", () => {
  const transcripts = new Transcripts(new MemorySqlite(), 100_000_000);
  transcripts.begin("k", "g", 1, NOW);
  const count = SWEEP_CHUNKS + 10;
  transcripts.append(
    "g",
    0,
    Array.from({ length: count }, (_, index) => `${index + 1}`),
    NOW,
  );
  transcripts.end("g", undefined, NOW);
  expect(transcripts.sweep(NOW + 1)).toBe(NOW + 1);
  expect(transcripts.read("g", 3, 4)).toEqual(["4", "5", "6", "7"]);
  expect(transcripts.read("g", 10, 4)).toEqual([]);
  expect(transcripts.sweep(NOW + 1)).toBeNull();
  expect(transcripts.read("g", 0, 4)).toEqual([]);
});
