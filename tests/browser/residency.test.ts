// A chat that is pinned to a jurisdiction while people look at it: the rooms are empty, as they would be in production,
// and everything is there again when the declaration is taken back.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Chat, confirmed, message, send } from "../support/chat.ts";
import { TestApp, call, until } from "../support/app.ts";
import { openBrowser } from "../support/browser.ts";

let chat: Chat;

beforeAll(async () => {
  chat = await Chat.start();
});

afterAll(() => chat.end());

const END = /\)(\.jurisdiction\("eu"\))?;\s*$/;

function declare(jurisdiction: string | null): void {
  const schema = chat.app.read("lunora/schema.ts");
  if (!END.test(schema)) throw new Error("the schema does not end as expected");
  chat.app.write(
    "lunora/schema.ts",
    schema.replace(END, jurisdiction === null ? ");\n" : `).jurisdiction("${jurisdiction}");\n`),
  );
}

const names = async (): Promise<string[]> =>
  ((await call(chat.url, "channels:list")) as { name: string }[]).map(({ name }) => name);

test("declaring a jurisdiction empties an open chat, and taking it back brings everything back", async () => {
  const { name } = await chat.channel("home");
  const page = await chat.visit("Ada", `/c/${name}`);
  await send(page, "stored where nothing is pinned");
  // What is only shown would be sent to wherever the app is then.
  await confirmed(page, "stored where nothing is pinned");
  const link = page.getByRole("link", { name: new RegExp(name) });
  await link.first().waitFor();

  declare("eu");
  await until("the app is moved", async () => (await names()).length === 0);
  // The page is told by its socket, without being loaded again.
  await link.first().waitFor({ state: "detached" });

  const inRegion = await chat.channel("moved");
  const bo = await chat.visit("Bo", `/c/${inRegion.name}`);
  await send(bo, "stored in the union");
  const other = await chat.visit("Cy", `/c/${inRegion.name}`);
  await message(other, "stored in the union").waitFor();
  await send(other, "live in the union");
  await message(bo, "live in the union").waitFor();
  await confirmed(other, "live in the union");

  declare(null);
  await until("the app is back", async () => (await names()).includes(name));
  expect(await names()).not.toContain(inRegion.name);
  await link.first().waitFor();
  const fresh = await chat.visit("Di", `/c/${name}`);
  await message(fresh, "stored where nothing is pinned").waitFor();

  declare("eu");
  await until("the app is in the union again", async () => (await names()).includes(inRegion.name));
  const last = await chat.visit("Ed", `/c/${inRegion.name}`);
  await message(last, "live in the union").waitFor();
});

test("the residency playground shows where its rows are through every change", async () => {
  const app = TestApp.copyOf("residency");
  const browser = await openBrowser();
  try {
    // Shells that have it set are met, and change nothing.
    const { url, vite } = await app.dev({ NODE_ENV: "production" });
    const page = await browser.newPage();
    await page.goto(url);
    const shows = (id: string, text: string): Promise<void> =>
      page.locator(`#${id}`).filter({ hasText: text }).waitFor();
    const log = async (text: string): Promise<void> => {
      await page.getByLabel("Ship").fill("Aurora");
      await page.getByRole("textbox", { name: "Entry" }).fill(text);
      await page.getByRole("button", { name: "Log it" }).click();
      await page.getByRole("listitem").filter({ hasText: text }).waitFor();
    };
    let declared = "";
    const declareInPlayground = (jurisdiction: string): void => {
      const next = jurisdiction === "none" ? "" : `.jurisdiction("${jurisdiction}")`;
      app.edit("lunora/schema.ts", `})${declared};`, `})${next};`);
      declared = next;
    };
    await shows("declared", "none");
    await log("first in none");
    for (const region of ["eu", "us"]) {
      declareInPlayground(region);
      await shows("declared", region);
      await shows("bytes", `.lunora/state/${region}/do`);
      await shows("rows", "0 in ships, 0 in entries");
      await log(`first in ${region}`);
    }
    for (const region of ["eu", "none", "us"]) {
      declareInPlayground(region);
      await shows("declared", region);
      await page
        .getByRole("listitem")
        .filter({ hasText: `first in ${region}` })
        .waitFor();
      await shows("rows", "1 in ships, 1 in entries");
    }
    expect(await page.getByRole("alert").textContent(), vite.output).toBe("");
  } finally {
    await browser.close();
    await app.dispose();
  }
});
