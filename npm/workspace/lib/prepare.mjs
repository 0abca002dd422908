// Installs and builds what is missing; each step is skipped when nothing it depends on has changed.
import { join } from "node:path";
import process from "node:process";
import { buildNative } from "./native.mjs";
import { buildPackages, buildPages, buildTap } from "./packages.mjs";
import { root } from "./paths.mjs";
import { checkPrerequisites } from "./prerequisites.mjs";
import { run } from "./run.mjs";
import { fingerprint, unlessStamped } from "./stamp.mjs";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";

async function installPackages() {
  const value = fingerprint([join(root, "package.json"), join(root, "package-lock.json")]);
  const installed = join(root, "node_modules", ".package-lock.json");
  // What builds and tests is needed whatever NODE_ENV says.
  // Not `npm ci`: npm leaves optional packages of other platforms out of the lock file, and `npm ci` then refuses it.
  await unlessStamped("install", value, [installed], () =>
    run("Install packages", npm, ["install", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]),
  );
}

/** Brings the work tree to where the playground, the tests and the bench can run. */
export async function prepare() {
  checkPrerequisites();
  await installPackages();
  await buildPages();
  await buildTap();
  await buildNative();
  await buildPackages();
}
