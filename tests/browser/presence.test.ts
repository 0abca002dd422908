// Who is in a channel and who is typing: what the chat's users see of it, in real tabs against a real workerd.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Locator, Page } from "playwright-core";
import { Chat, composer, message, send } from "../support/chat.ts";

let chat: Chat;

beforeAll(async () => {
  chat = await Chat.start();
});

afterAll(() => chat.end());

afterEach(() => chat.leave());

const company = (page: Page): Locator => page.getByRole("group", { name: "Here now" });
const here = (page: Page, text: string): Promise<void> => company(page).getByText(text, { exact: true }).waitFor();
const typing = (page: Page, text: string): Promise<void> => page.locator(".typing", { hasText: text }).waitFor();
const silence = (page: Page): Promise<void> =>
  page.waitForFunction(() => document.querySelector(".typing")?.textContent === "").then(() => {});

/** Ends the process that shows the page: no handler of it runs any more. */
async function kill(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  // The answer is lost with the process.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

describe("a channel", () => {
  test("two pages see each other come and go, also when one is killed", async () => {
    const { name } = await chat.channel("presence");
    const ada = await chat.visit("Ada", `/c/${name}`);
    await here(ada, "Nobody else is here");
    const bo = await chat.visit("Bo", `/c/${name}`);
    await here(ada, "Bo");
    await here(bo, "Ada");
    const cleo = await chat.visit("Cleo", `/c/${name}`);
    await here(ada, "Bo and Cleo");
    await kill(cleo);
    await here(ada, "Bo");
    await bo.close();
    await here(ada, "Nobody else is here");
  });

  test("another channel is another room", async () => {
    const [one, other] = [await chat.channel("one"), await chat.channel("other")];
    const ada = await chat.visit("Ada", `/c/${one.name}`);
    const bo = await chat.visit("Bo", `/c/${other.name}`);
    await here(ada, "Nobody else is here");
    await bo.goto(`${chat.url}/c/${one.name}`);
    await here(ada, "Bo");
    const channels = bo.getByRole("navigation", { name: "Channels" });
    await channels.getByRole("link", { name: other.name }).click();
    await here(ada, "Nobody else is here");
    await here(bo, "Nobody else is here");
  });

  test("a name that changes is seen, and two tabs of one name are one", async () => {
    const { name } = await chat.channel("names");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const browser = await chat.person("Bo");
    const bo = await chat.open(browser, `/c/${name}`);
    await chat.open(browser, `/c/${name}`);
    await here(ada, "Bo");
    await bo.getByLabel("Your name").fill("Bob");
    await bo.getByLabel("Your name").blur();
    await here(ada, "Bob");
  });

  test("who types is seen until the message is there", async () => {
    const { name } = await chat.channel("typing");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    await here(bo, "Ada");
    await here(ada, "Bo");
    await composer(bo).pressSequentially("Hel");
    await typing(ada, "Bo is typing…");
    expect(await bo.locator(".typing").textContent()).toBe("");
    await send(bo, "Hello");
    await message(ada, "Hello").waitFor();
    await silence(ada);
  });

  test("who types and dies stops typing", async () => {
    const { name } = await chat.channel("stopped");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    await here(ada, "Bo");
    await here(bo, "Ada");
    await composer(bo).pressSequentially("Hel");
    await typing(ada, "Bo is typing…");
    await kill(bo);
    await silence(ada);
  });

  test("320 pixels are wide enough", async () => {
    const { name } = await chat.channel("narrow");
    const long = "A name that is as long as names may be here";
    const ada = await chat.visit("Ada", `/c/${name}`);
    await ada.setViewportSize({ width: 320, height: 640 });
    const bo = await chat.visit(long, `/c/${name}`);
    await company(ada).getByText(long).waitFor();
    await here(bo, "Ada");
    await composer(bo).pressSequentially("Hel");
    await typing(ada, "is typing…");
    expect(await ada.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    const { right } = await extent(ada);
    expect(right).toBeLessThanOrEqual(320);
  });
});

function extent(on: Page): Promise<{ right: number }> {
  return on.evaluate(() => ({
    right: Math.max(...[...document.querySelectorAll(".company *")].map((part) => part.getBoundingClientRect().right)),
  }));
}
