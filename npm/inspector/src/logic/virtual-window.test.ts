import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkProperty } from "../../../test-seed.ts";
import { scrollToRow, TALLEST, virtualWindow } from "./virtual-window.ts";

const base = { rowHeight: 36, viewport: 720, scrollTop: 0 };

describe("what is in the document", () => {
  test("an empty list has nothing", () => {
    expect(virtualWindow({ ...base, length: 0 })).toEqual({ first: 0, end: 0, height: 0, top: 0 });
  });

  test("the beginning, the middle and the end", () => {
    expect(virtualWindow({ ...base, length: 1000 })).toMatchObject({ first: 0, end: 27, top: 0 });
    expect(virtualWindow({ ...base, length: 1000, scrollTop: 3600 })).toMatchObject({ first: 94, end: 127, top: 3384 });
    expect(virtualWindow({ ...base, length: 1000, scrollTop: 1e9 })).toMatchObject({ end: 1000 });
  });

  test("never more than the viewport and a little, and the end is reached, whatever the length", () => {
    checkProperty(
      fc.property(
        fc.nat(5_000_000),
        fc.nat(20_000_000),
        fc.integer({ min: 20, max: 2000 }),
        (length, scrollTop, viewport) => {
          const extent = { length, rowHeight: 36, viewport, scrollTop };
          const { first, end, height, top } = virtualWindow(extent);
          expect(end - first).toBeLessThanOrEqual(Math.ceil(viewport / 36) + 13);
          expect(height).toBeLessThanOrEqual(TALLEST);
          expect(first).toBeGreaterThanOrEqual(0);
          expect(end).toBeLessThanOrEqual(length);
          const position = Math.min(scrollTop, Math.max(0, height - viewport));
          // Rows cover what is seen.
          expect(top).toBeLessThanOrEqual(position + 0.01);
          expect(top + (end - first) * 36).toBeGreaterThanOrEqual(Math.min(position + viewport, height) - 0.01);
        },
      ),
    );
  });
});

describe("a row is brought into sight", () => {
  test("what is seen does not move", () => {
    expect(scrollToRow(3, { ...base, length: 100 })).toBe(0);
  });

  test("also in a list taller than a browser can lay out", () => {
    checkProperty(
      fc.property(
        fc.integer({ min: 1, max: 2_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (length, part) => {
          const row = Math.min(length - 1, Math.floor(length * part));
          const scrollTop = scrollToRow(row, { ...base, length });
          const seen = virtualWindow({ ...base, length, scrollTop });
          expect(row).toBeGreaterThanOrEqual(seen.first);
          expect(row).toBeLessThan(seen.end);
        },
      ),
    );
  });
});
