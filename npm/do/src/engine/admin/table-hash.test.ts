import { readFileSync } from "node:fs";

import { canonicalJson } from "@lunora/protocol";
import { expect, test } from "vitest";

import { TableHash } from "./table-hash.ts";

interface Case {
  readonly name: string;
  readonly rows: readonly unknown[];
  readonly hash: string;
}

const file = new URL("../../../../../tests/fixtures/table-hashes.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as Case[];

test.each(cases)("$name", async ({ rows, hash }) => {
  const texts = rows.map(canonicalJson);
  const whole = new TableHash();
  await whole.add(texts);
  expect(whole.proof()).toEqual({ rows: rows.length, hash });
  const single = new TableHash();
  for (const text of texts.toReversed()) {
    await single.add([text]);
    single.proof();
  }
  expect(single.proof()).toEqual({ rows: rows.length, hash });
});
