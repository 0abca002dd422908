// The inspector's page in a real browser: who opens it, what it must never do, what axe says of it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import type { AxeResults } from "axe-core";
import { TOKEN } from "./server.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export type Scheme = "light" | "dark";

/** A page of the inspector, and everything that went wrong in it. */
export interface Opened {
  readonly page: Page;
  /** Errors of the page, of its console and of its policy. */
  readonly faults: string[];
}

/** Opens the inspector at a path, as Vite's link does. */
export async function open(
  browser: Browser,
  origin: string,
  path = "/",
  scheme: Scheme = "light",
  token = TOKEN,
): Promise<Opened> {
  const context = await browser.newContext({
    colorScheme: scheme,
    locale: "en-GB",
    viewport: { width: 1440, height: 900 },
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith("http") && asked !== origin) faults.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(`${origin}${path}#token=${token}`);
  await page.getByRole("navigation", { name: "Views" }).waitFor({ state: "attached" });
  return { page, faults };
}

/** What axe finds, each with its rule and the elements. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(context: unknown, options: unknown): Promise<AxeResults> } }).axe.run(
      document,
      {
        // What is in a mail's frame is the mail's.
        iframes: false,
        resultTypes: ["violations"],
      },
    ),
  );
  return results.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? node.failureSummary ?? ""}`)
        .slice(0, 4)
        .join(" | ")}`,
  );
}
