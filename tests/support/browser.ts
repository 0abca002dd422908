// A real Chromium for tests: the one inside an npm package, so that nothing has to be installed on the machine.
import { existsSync } from "node:fs";
import chromiumPackage from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Programs that stand in where the packaged browser does not fit the machine. */
const installed = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

async function executable(): Promise<{ path: string; args: string[] }> {
  const named = process.env["LUNORA_CHROMIUM"];
  if (named !== undefined) return { path: named, args: quiet };
  if (process.platform === "linux" && process.arch === "x64") {
    return { path: await chromiumPackage.executablePath(), args: [...chromiumPackage.args, ...quiet] };
  }
  const found = installed.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error("No browser was found. Install Chromium or name one with LUNORA_CHROMIUM.");
  }
  return { path: found, args: quiet };
}

/** Starts a browser with a fresh profile; close it when done. */
export async function openBrowser(): Promise<Browser> {
  const { path, args } = await executable();
  // `--single-process` is the package's default for tiny machines; here it only makes crashes likelier.
  return chromium.launch({
    executablePath: path,
    args: args.filter((argument) => argument !== "--single-process" && argument !== "--no-zygote"),
    headless: true,
  });
}

/** What the package turns off of a browser's guards, for programs that drive pages of others. */
const lowered = /web-security|site-isolation|insecure-content|IsolateOrigins/;

/** A browser that keeps sites apart as a developer's does; `more` is added to its command line. */
export async function openGuardedBrowser(more: readonly string[] = []): Promise<Browser> {
  const { path, args } = await executable();
  const kept = args.filter(
    (argument) => !["--single-process", "--no-zygote"].includes(argument) && !lowered.test(argument),
  );
  return chromium.launch({ executablePath: path, args: [...kept, ...more], headless: true });
}
