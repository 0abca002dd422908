// Formatting, lints and types. Each tool stops the run at its first finding.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packages, pages } from "./packages.mjs";
import { bin, root } from "./paths.mjs";
import { run } from "./run.mjs";

const withTypes = () => [
  join(root, "tests"),
  ...[...packages, ...pages].flatMap((name) => [join(root, "npm", name), join(root, "npm", name, "testing")]),
  ...readdirSync(join(root, "playground")).map((name) => join(root, "playground", name)),
];

/** What `npm run lint` does, without the build before it. */
export async function lint() {
  await run("Format of Rust", "cargo", ["fmt", "--all", "--check"]);
  await run("Format of TypeScript", bin("oxfmt"), ["--check"]);
  await run("Lint TypeScript", bin("oxlint"), ["--deny-warnings"]);
  for (const folder of withTypes()) {
    if (!existsSync(join(folder, "tsconfig.json"))) continue;
    await run(`Types of ${folder.slice(root.length + 1)}`, bin("tsc"), ["-p", folder, "--noEmit"]);
  }
  await run("Lint Rust", "cargo", ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
}
