import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** What reaches objects by themselves, or names them. */
const WAYS = /\.(?:getByName|idFromName|idFromString|newUniqueId|jurisdiction)\s*(?:\?\.)?\(/;

/** Where it may: the one function that everything reaches objects through, and what proves its namespaces. */
const HOMES = ["runtime/src/namespace.ts", "runtime/src/reach-object.ts"];

/** Sources that ship, by path. */
function sources(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(packages, { withFileTypes: true })) {
    if (!name.isDirectory() || name.name === "node_modules") continue;
    const folder = join(packages, name.name, "src");
    let entries: string[];
    try {
      entries = readdirSync(folder, { recursive: true, encoding: "utf8" });
    } catch {
      // A package without sources.
      continue;
    }
    for (const entry of entries) {
      if (/\.tsx?$/.test(entry) && !/\.test(?:-d)?\.tsx?$/.test(entry))
        found.set(`${name.name}/src/${entry}`, readFileSync(join(folder, entry), "utf8"));
    }
  }
  return found;
}

const codeOf = (text: string): string => text.replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\*[\s\S]*?\*\/|\/\/.*/g, "");

describe("objects", () => {
  test("are reached through one function and nowhere else", () => {
    const files = sources();
    expect(files.size).toBeGreaterThan(100);
    const reaching = [...files].filter(([, text]) => WAYS.test(codeOf(text))).map(([path]) => path);
    expect(reaching.toSorted()).toEqual(HOMES);
  });

  test("are found wherever a namespace is used", () => {
    for (const text of [
      "env.SHARD.getByName(name)",
      'namespace.jurisdiction?.("eu")',
      "ns.idFromName (name)",
      "(a as B).newUniqueId()",
      "x.idFromString(id)",
    ])
      expect(text).toMatch(WAYS);
  });
});
