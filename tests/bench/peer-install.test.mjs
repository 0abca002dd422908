import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { benchFolder, root } from "./paths.mjs";
import { peerFolder } from "./peer-install.mjs";

const sets = readdirSync(join(benchFolder, "peers"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

test("peers are never below the repository", () => {
  expect(sets.length).toBeGreaterThan(0);
  for (const set of sets) {
    expect(relative(root, peerFolder(set, {})).startsWith("..")).toBe(true);
    expect(peerFolder(set, { XDG_CACHE_HOME: "/cache" })).toMatch(
      new RegExp(`^/cache/lunora-bench/${set}-[0-9a-f]{16}$`),
    );
  }
});

test.each(sets)("the versions of %s are exact and those of its lock file", (set) => {
  const read = (file) => JSON.parse(readFileSync(join(benchFolder, "peers", set, file), "utf8"));
  const { name, dependencies } = read("package.json");
  const lock = read("package-lock.json");
  expect(lock.name).toBe(name);
  for (const [dependency, version] of Object.entries(dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(lock.packages[`node_modules/${dependency}`].version).toBe(version);
  }
});
