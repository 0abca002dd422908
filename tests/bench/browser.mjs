// A real Chromium, the one of the tests across packages.
import process from "node:process";
import chromiumPackage from "@sparticuz/chromium";
import { chromium } from "playwright-core";

/** For machines of a few megabytes; here they only make crashes likelier. */
const meager = new Set(["--single-process", "--no-zygote"]);
/** Nothing of a browser's own business goes on beside what is measured. */
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

/** @returns {Promise<import("playwright-core").Browser>} with a fresh profile; close it when done */
export async function openBrowser() {
  const named = process.env["LUNORA_CHROMIUM"];
  const kept = named === undefined ? chromiumPackage.args.filter((argument) => !meager.has(argument)) : [];
  return chromium.launch({
    executablePath: named ?? (await chromiumPackage.executablePath()),
    args: [...kept, ...quiet],
    headless: true,
  });
}
