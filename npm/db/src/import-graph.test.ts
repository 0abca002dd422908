/// <reference types="node" />
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

const packages = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The packages that a package's sources import, tests left out. */
function importsOf(name: string): string[] {
  const folder = join(packages, name, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/\.test(?:-d)?\.ts$/.test(file),
  );
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
  // Without the entry of the package, if one is named.
  const names = texts.flatMap((text) =>
    Array.from(
      text.matchAll(/(?:from|import)\s*\(?\s*"((?:@[^/"]+\/)?[^./"][^/"]*)/g),
      ([, imported = ""]) => imported,
    ),
  );
  return [...new Set(names)].sort();
}

it("only this package needs TanStack DB", () => {
  expect(importsOf("db")).toEqual(["@lunora/client", "@lunora/protocol", "@tanstack/db"]);
  expect(importsOf("react")).toEqual(["@lunora/client", "@lunora/protocol", "react"]);
  expect(importsOf("client")).toEqual(["@lunora/errors", "@lunora/protocol"]);
  expect(importsOf("protocol")).toEqual(["@lunora/errors"]);
});
