import { describe, expect, test } from "vitest";
import { isAllowedHost, isAllowedUpgrade } from "./host-check.ts";

describe("isAllowedHost", () => {
  test.each(["localhost:5173", "app.localhost", "127.0.0.1:5173", "[::1]:5173", "192.168.1.4:80"])(
    "lets %s in",
    (host) => {
      expect(isAllowedHost(host, [])).toBe(true);
    },
  );
  test.each([
    "evil.example",
    "localhost.evil.example",
    "",
    undefined,
    "127.0.0.1.evil.example",
    "a b",
    "evil.example:5173",
  ])("keeps %s out", (host) => {
    expect(isAllowedHost(host, [])).toBe(false);
  });
  test("follows the developer's list", () => {
    expect(isAllowedHost("dev.example:1", ["dev.example"])).toBe(true);
    expect(isAllowedHost("a.dev.example", [".dev.example"])).toBe(true);
    expect(isAllowedHost("notdev.example", [".dev.example"])).toBe(false);
    expect(isAllowedHost("anything.example", true)).toBe(true);
  });
});

describe("isAllowedUpgrade", () => {
  test("wants the page's own origin", () => {
    expect(isAllowedUpgrade({ host: "localhost:5173", origin: "http://localhost:5173" }, [])).toBe(true);
    expect(isAllowedUpgrade({ host: "localhost:5173", origin: "http://localhost:9999" }, [])).toBe(false);
    expect(isAllowedUpgrade({ host: "localhost:5173", origin: "https://evil.example" }, [])).toBe(false);
    expect(isAllowedUpgrade({ host: "localhost:5173", origin: "null" }, [])).toBe(false);
  });
  test("lets programs without an origin in", () => {
    expect(isAllowedUpgrade({ host: "127.0.0.1:5173" }, [])).toBe(true);
  });
});
