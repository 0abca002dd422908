// Builds the TypeScript packages, each into its own `dist`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { root } from "./paths.mjs";
import { fingerprint, unlessStamped } from "./stamp.mjs";
import { bold, dim, duration, green, say } from "./terminal.mjs";

/** In the order of their dependencies. */
export const packages = [
  "errors",
  "values",
  "protocol",
  "server",
  "do",
  "runtime",
  "scheduler",
  "mail",
  "client",
  "react",
  "db",
  "vite",
  "lunorash",
];

const runsInNode = new Set(["vite", "lunorash"]);
const folder = (name) => join(root, "npm", name);
const manifest = (name) => JSON.parse(readFileSync(join(folder(name), "package.json"), "utf8"));

async function buildPackage(name) {
  const { build } = await import("tsdown");
  const entry = Object.values(manifest(name).exports)
    .map((target) => target["@lunora/source"])
    .filter((source) => source !== undefined);
  await build({
    config: false,
    cwd: folder(name),
    entry,
    format: "esm",
    fixedExtension: false,
    platform: runsInNode.has(name) ? "node" : "neutral",
    tsconfig: join(root, "npm", "tsconfig.json"),
    dts: { oxc: true },
    deps: { neverBundle: [/^@lunora\//, /^lunorash/, /^cloudflare:/, /^node:/, "vite", "rolldown"] },
    outDir: "dist",
    logLevel: "warn",
    failOnWarn: false,
    report: false,
  });
}

/** What is built for a browser and embedded in the addon, not published. */
export const pages = ["inspector"];

/** Builds the inspector's UI with Vite; the addon embeds its `dist`, so this comes before the addon. */
export async function buildPages() {
  for (const name of pages) {
    const value = fingerprint([
      join(folder(name), "src"),
      join(folder(name), "index.html"),
      join(folder(name), "vite.config.ts"),
      join(folder(name), "package.json"),
      join(root, "package-lock.json"),
    ]);
    const started = performance.now();
    const built = await unlessStamped(`page-${name}`, value, [join(folder(name), "dist", "index.html")], async () => {
      say(`${bold("▸")} Build ${manifest(name).name}`);
      const { build } = await import("vite");
      const { NODE_ENV } = process.env;
      await build({ root: folder(name), logLevel: "warn" });
      // Vite sets it for itself; what is run after the build is not to find it.
      if (NODE_ENV === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = NODE_ENV;
    });
    if (built) say(`${green("✓")} Build ${manifest(name).name} ${dim(duration(performance.now() - started))}`);
  }
}

/** Builds the module that tells the inspector what happens in an app; the addon embeds it, so this comes before the addon. */
export async function buildTap() {
  const sources = ["do/tap", "do/src", "runtime/src", "errors/src", "protocol/src"];
  const value = fingerprint([...sources.map(folder), join(root, "package-lock.json")]);
  const { bundleTap, TAP } = await import("../../do/tap/build.mjs");
  await unlessStamped("tap", value, [TAP], async () => {
    mkdirSync(dirname(TAP), { recursive: true });
    writeFileSync(TAP, await bundleTap());
  });
}

/** Builds every package whose sources changed since it was last built. */
export async function buildPackages() {
  for (const name of packages) {
    const value = fingerprint([
      join(folder(name), "src"),
      join(folder(name), "package.json"),
      join(root, "npm", "tsconfig.json"),
      join(root, "package-lock.json"),
    ]);
    const started = performance.now();
    const built = await unlessStamped(`package-${name}`, value, [join(folder(name), "dist")], () => {
      say(`${bold("▸")} Build ${manifest(name).name}`);
      return buildPackage(name);
    });
    if (built) say(`${green("✓")} Build ${manifest(name).name} ${dim(duration(performance.now() - started))}`);
  }
}
