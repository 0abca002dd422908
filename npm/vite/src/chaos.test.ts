import { expect, test } from "vitest";
import { chaosLine, chaosSeed } from "./chaos.ts";

test("the command line goes before the plugin's option", () => {
  expect(chaosSeed(undefined, {})).toBeUndefined();
  expect(chaosSeed(7, {})).toBe(7);
  expect(chaosSeed(7, { LUNORA_CHAOS: "42" })).toBe(42);
  expect(chaosSeed(0, { LUNORA_CHAOS: "" })).toBe(0);
  expect(chaosSeed(undefined, { LUNORA_CHAOS: "9007199254740991" })).toBe(Number.MAX_SAFE_INTEGER);
});

test("what is no seed is refused and named", () => {
  for (const text of ["x", "-1", "1.5", "0x10", "1e3", " 1", "9007199254740992"])
    expect(() => chaosSeed(undefined, { LUNORA_CHAOS: text })).toThrow(`\`${text}\` of LUNORA_CHAOS is no seed`);
  for (const option of [-1, 1.5, Number.NaN, 2 ** 53])
    expect(() => chaosSeed(option, {})).toThrow(`\`${option}\` of the option \`chaos\` is no seed`);
});

test("a terminal is told how to play it again", () => {
  expect(chaosLine(42)).toContain("lunora dev --chaos 42");
  expect(chaosLine(null)).toContain("ended");
});
