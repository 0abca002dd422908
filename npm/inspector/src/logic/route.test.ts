import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkProperty } from "../../../test-seed.ts";
import { href, parseRoute, VIEWS } from "./route.ts";

const parsed = (address: string): ReturnType<typeof parseRoute> => {
  const url = new URL(address, "http://inspector.test");
  return parseRoute(url.pathname, url.search);
};

describe("addresses", () => {
  test("of views", () => {
    expect(parsed("/").view).toBe("overview");
    expect(parsed("/oplog/messages%3Ageneral?seq=4")).toMatchObject({ view: "oplog", parts: ["messages:general"] });
    expect(parsed("/calls/abc")).toMatchObject({ view: "calls", parts: ["abc"] });
    expect(parsed("/nowhere").view).toBe("missing");
    expect(parsed("/data/%E0%A4%A").parts).toEqual(["%E0%A4%A"]);
  });

  test("have no dot, by which a server knows files", () => {
    expect(href("shards", ["releases:v1.2"])).toBe("/shards/releases%3Av1~2E2");
    expect(parsed(href("shards", ["releases:v1.2"])).parts).toEqual(["releases:v1.2"]);
  });

  test("every part comes back as it was", () => {
    const part = fc.string({ minLength: 1, unit: "grapheme" });
    checkProperty(
      fc.property(fc.array(part, { maxLength: 3 }), fc.string({ minLength: 1 }), (parts, value) => {
        const route = parsed(href("data", parts, { filter: value }));
        expect(route.parts).toEqual(parts);
        expect(route.query.get("filter")).toBe(value);
      }),
    );
  });

  test("letters are different, and none is taken twice", () => {
    expect(new Set(VIEWS.map((view) => view.letter)).size).toBe(VIEWS.length);
  });
});
