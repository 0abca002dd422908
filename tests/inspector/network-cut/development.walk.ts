// The mail playground under `vite dev`, its inspector and a browser, where there is no network.
import { connect } from "node:net";
import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { TestApp, call, until } from "../../support/app.ts";
import { openBrowser } from "../../support/browser.ts";
import { open } from "../../support/inspector/page.ts";
import { KernelWitness } from "../../support/network-cut/kernel-witness.ts";
import { SocketWatch } from "../../support/network-cut/socket-watch.ts";
import type { Witness } from "../../support/network-cut/witness.ts";

/** Addresses of RFC 5737 and a name, each in another way of a mail to load something. */
const remote = [
  '<img alt="" src="http://192.0.2.10/pixel.png">',
  '<img alt="" srcset="http://192.0.2.11/a.png 2x" src="https://tracker.example.com/open.gif">',
  '<div style="background-image:url(http://192.0.2.12/b.png)">Background</div>',
  '<style>@import "http://192.0.2.13/c.css"; p { background: url(http://192.0.2.14/d.png) }</style>',
  '<link rel="stylesheet" href="http://192.0.2.15/e.css"><link rel="dns-prefetch" href="//tracker.example.com">',
].join("");

function witnessOf(network: string | undefined): Witness {
  if (network === "cut") return new KernelWitness();
  if (network === "watched") return new SocketWatch();
  throw new Error("`network-cut.test.ts` runs this, in a network of its own");
}

let witness: Witness;
let app: TestApp;
let browser: Browser;
let url: string;
let inspector: { readonly origin: string; readonly token: string };

beforeAll(async () => {
  witness = witnessOf(process.env["LUNORA_TEST_NETWORK"]);
  app = TestApp.copyOf("mail");
  app.edit("lunora/signIn.ts", "html: `<p>", `html: \`${remote}<p>`);
  browser = await openBrowser();
  ({ url } = await app.dev());
  await until("the inspector is there", () => existsSync(app.path(".lunora/inspector.json")));
  inspector = JSON.parse(app.read(".lunora/inspector.json")) as typeof inspector;
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

afterAll(async () => {
  await browser.close();
  await app.dispose();
  witness.close();
});

const visit = async (path: string): Promise<Page> => {
  const { page } = await open(browser, inspector.origin, path, "light", inspector.token);
  return page;
};

test("starting the app, its worker, its inspector and a browser led nowhere", () => {
  expect(witness.attempts()).toEqual([]);
});

test("the app's own page works", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  await page.getByRole("textbox").first().waitFor();
  expect(witness.attempts()).toEqual([]);
});

test("a mail that loads from everywhere is caught, shown, and loads from nowhere", async () => {
  await call(url, "signIn:request", { email: "ada@example.com" });
  const page = await visit("/mail");
  await page.locator(".list-body .row").first().click();
  await page.frameLocator("iframe").getByRole("link", { name: "Sign in to Threads" }).waitFor();
  for (const tab of ["Text", "Headers", "Raw", /^Parts/]) await page.getByRole("tab", { name: tab }).click();
  await page.getByRole("tab", { name: "Rendered" }).click();
  await page.frameLocator("iframe").getByText("Background").waitFor();
  expect(witness.attempts()).toEqual([]);
});

test("from a change in the op-log to the call that wrote it", async () => {
  const page = await visit("/oplog");
  await page.locator(".list-body .row", { hasText: "links" }).first().click();
  await page.locator(".facts a", { hasText: "signIn:" }).click();
  await page.getByRole("heading", { level: 1, name: /^Call/ }).waitFor();
  await page.locator(".difference").first().waitFor();
  expect(witness.attempts()).toEqual([]);
});

test("every view is there", async () => {
  const views: readonly (readonly [string, string, string])[] = [
    ["h", "Overview", ".facts"],
    ["s", "Shards", ".list-body .row"],
    ["o", "Op-log", ".list-body .row"],
    ["p", "Pokes", ".empty"],
    ["a", "Shapes", ".chips .button"],
    ["c", "Clients", ".chips .button"],
    ["d", "Data", ".chips .button"],
    ["f", "Functions", ".list-body .row"],
    ["j", "Scheduled", ".section"],
    ["q", "Queues", ".empty"],
    ["r", "Residency", ".table"],
    ["m", "Mail", ".list-body .row"],
    ["e", "Schema", ".cards .card"],
    ["l", "Logs", "h1"],
  ];
  const page = await visit("/");
  for (const [letter, title, sign] of views) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    await page.locator(`main ${sign}`).first().waitFor();
    expect(await page.locator("main .notice").count(), title).toBe(0);
  }
  expect(witness.attempts()).toEqual([]);
});

test("an edit is served", async () => {
  app.edit("lunora/signIn.ts", "Your link to sign in", "Your other link");
  await until("the new code serves", async () => {
    await call(url, "signIn:request", { email: `${crypto.randomUUID()}@example.com` });
    const { origin, token } = inspector;
    const answer = await fetch(`${origin}/api/mail`, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.text()).includes("Your other link");
  });
  expect(witness.attempts()).toEqual([]);
});

// Last, since they do what nothing above may do: without them the witness could be blind.
test("the witness sees a mail's images once they are asked for", async () => {
  const page = await visit("/mail");
  await page.locator(".list-body .row", { hasText: "Your link to sign in" }).first().click();
  await page.frameLocator("iframe").getByText("Background").waitFor();
  expect(witness.attempts()).toEqual([]);
  await page.getByRole("checkbox", { name: "Load remote images" }).check();
  await until("an attempt is seen", () => witness.attempts().length > 0);
});

// One that is refused at once is too short for who looks again and again.
test.runIf(process.env["LUNORA_TEST_NETWORK"] === "cut")("the witness sees a connection of this process", async () => {
  const before = witness.attempts().length;
  const socket = connect({ host: "192.0.2.1", port: 80 });
  socket.on("error", () => undefined);
  await until("it is seen", () => witness.attempts().length > before);
  socket.destroy();
});
