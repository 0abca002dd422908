// Installs peers into a cache outside the repository, so that nobody who does not run the bench pays for them.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { ProcessGroup } from "./process-group.mjs";
import { benchFolder } from "./paths.mjs";
import { isAlive } from "./process-alive.mjs";

const manifestFiles = ["package.json", "package-lock.json"];
const installLimit = 600_000;

/** The folder of a set of peers: a changed manifest or lock file means another folder. */
export function peerFolder(set, environment = process.env) {
  const hash = createHash("sha256");
  for (const file of manifestFiles) hash.update(readFileSync(join(benchFolder, "peers", set, file))).update("\0");
  // Native parts differ by platform and by the ABI of Node.
  hash.update(`${process.platform}-${process.arch}-${process.versions.modules}`);
  const cache = environment.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "lunora-bench", `${set}-${hash.digest("hex").slice(0, 16)}`);
}

/** Only one process installs; the others wait for it. A lock whose holder is gone is taken over. */
async function withLock(lock, step) {
  const deadline = performance.now() + installLimit;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    let holder;
    try {
      holder = Number(readFileSync(join(lock, "pid"), "utf8"));
    } catch {
      // Taken a moment ago and not signed yet.
    }
    if (holder !== undefined && !isAlive(holder)) rmSync(lock, { recursive: true, force: true });
    else if (performance.now() > deadline)
      throw new Error(`\`${lock}\` is held by process ${holder}; remove it if that is not a bench.`);
    else await delay(200);
  }
  try {
    writeFileSync(join(lock, "pid"), String(process.pid));
    return await step();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** @type {Map<string, Promise<string>>} */
const installed = new Map();

/**
 * @param {string} set a folder below `peers`
 * @param {(line: string) => void} say
 * @returns {Promise<string>} the folder with `node_modules` in it
 */
export function installPeers(set, say) {
  let folder = installed.get(set);
  if (folder === undefined) {
    folder = install(set, say);
    installed.set(set, folder);
  }
  return folder;
}

async function install(set, say) {
  const folder = peerFolder(set);
  if (existsSync(folder)) return folder;
  mkdirSync(join(folder, ".."), { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder;
    say(`Installing the peers \`${set}\` into ${folder}`);
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished);
    for (const file of manifestFiles) copyFileSync(join(benchFolder, "peers", set, file), join(unfinished, file));
    const started = performance.now();
    // workerd and esbuild ship their programs as packages; nobody needs an install script.
    const npm = new ProcessGroup(
      process.platform === "win32" ? "npm.cmd" : "npm",
      ["install", "--ignore-scripts", "--no-audit", "--no-fund"],
      {
        cwd: unfinished,
        env: /** @type {Record<string, string>} */ ({ ...process.env }),
      },
    );
    const ticks = setInterval(() => say(`… ${Math.round((performance.now() - started) / 1000)} s`), 5000);
    const late = new AbortController();
    try {
      const end = await Promise.race([npm.exited, delay(installLimit, undefined, { signal: late.signal })]);
      if (end === undefined) throw npm.failure(`No end within ${installLimit / 1000} s`);
      if (end.code !== 0) throw npm.failure(`Ended with ${end.code ?? end.signal}`);
    } finally {
      late.abort();
      clearInterval(ticks);
      await npm.stop();
    }
    renameSync(unfinished, folder);
    say(`Installed \`${set}\` in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return folder;
  });
}
