import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { buildTap, TAP } from "../tap/build.mjs";

test("the module that the toolchain embeds is the one that the sources make", async () => {
  // Otherwise: `node npm/do/tap/build.mjs`.
  expect(await readFile(TAP, "utf8")).toBe(await buildTap());
});
