// The chat playground as its users meet it: two people, a real browser, a real workerd.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Locator } from "playwright-core";
import { call } from "../support/app.ts";
import { Chat, composer, message } from "../support/chat.ts";

let chat: Chat;
let url: string;

beforeAll(async () => {
  chat = await Chat.start();
  ({ url } = chat);
});

afterAll(() => chat.end());

afterEach(() => chat.leave());

const isFocused = (locator: Locator) => locator.evaluate((element) => element === document.activeElement);

describe("chat", () => {
  test("opens with an invitation, and the first channel leads to its page", async () => {
    const page = await chat.visit("Ada");
    const form = page.getByRole("main").getByRole("form", { name: "New channel" });
    await form.getByLabel("Name").fill("  first-light ");
    await form.getByLabel("Topic").fill("What is up there tonight");
    await form.getByRole("button", { name: "Create channel" }).click();
    await page.waitForURL(`${url}/c/first-light`);
    await page.getByRole("heading", { name: "#first-light" }).waitFor();
    await page.getByText("What is up there tonight").waitFor();
    await page.getByText("It is quiet in here.").waitFor();
    expect(await page.title()).toBe("#first-light · Lunora chat");
  });

  test("what one person sends, edits and deletes, the other one sees", async () => {
    const { name, id } = await chat.channel("garden");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    await bo.getByText("It is quiet in here.").waitFor();

    await composer(ada).fill("Tomatoes are in");
    await composer(ada).press("Shift+Enter");
    await composer(ada).pressSequentially("Beans too");
    await ada.getByRole("button", { name: "Send" }).click();
    await message(bo, "Tomatoes are in").waitFor();
    expect(await composer(ada).inputValue()).toBe("");
    expect(await chat.stored(id)).toEqual(["Tomatoes are in\nBeans too"]);
    expect(await bo.getByRole("log").textContent()).toContain("Ada: Tomatoes are in");
    expect(await bo.getByRole("button", { name: /^Edit/ }).count()).toBe(0);

    const edit = ada.getByRole("button", { name: /^Edit/ });
    await edit.click();
    const editor = ada.getByRole("textbox", { name: "Message text" });
    await editor.fill("Never mind");
    await editor.press("Escape");
    await editor.waitFor({ state: "detached" });
    expect(await chat.stored(id)).toEqual(["Tomatoes are in\nBeans too"]);

    await edit.click();
    await editor.fill("Tomatoes are out");
    await editor.press("Enter");
    await message(bo, "Tomatoes are out").filter({ hasText: "(edited)" }).waitFor();
    await editor.waitFor({ state: "detached" });

    await ada.getByRole("button", { name: /^Delete/ }).click();
    await ada.getByRole("button", { name: "Yes, delete" }).click();
    await message(bo, "Tomatoes").waitFor({ state: "detached" });
    await message(ada, "Tomatoes").waitFor({ state: "detached" });
    expect(await chat.stored(id)).toEqual([]);
  });

  test("a reload keeps messages and the name", async () => {
    const { name } = await chat.channel("kept");
    const page = await chat.visit("Ada", `/c/${name}`);
    await composer(page).fill("Still here");
    await composer(page).press("Enter");
    await message(page, "Still here").getByRole("button", { name: /^Edit/ }).waitFor();
    await page.reload();
    await message(page, "Still here").waitFor();
    expect(await page.getByLabel("Your name").inputValue()).toBe("Ada");
  });

  test("the latest page gathers the messages of all channels", async () => {
    const one = await chat.channel("north");
    const two = await chat.channel("south");
    await call(url, "messages:send", { channelId: one.id, author: "Ada", body: "Snow at last" });
    await call(url, "messages:send", { channelId: two.id, author: "Bo", body: "Sun again" });
    const page = await chat.visit("Ada", "/latest");
    const cards = page.getByRole("list", { name: "Latest messages" }).getByRole("listitem");
    await cards
      .filter({ hasText: `#${one.name}` })
      .filter({ hasText: "Snow at last" })
      .waitFor();
    await cards
      .filter({ hasText: `#${two.name}` })
      .filter({ hasText: "Sun again" })
      .waitFor();
    const texts = (await cards.allTextContents()).join();
    expect(texts.indexOf("Sun again")).toBeLessThan(texts.indexOf("Snow at last"));

    await cards.getByRole("link", { name: `#${two.name}` }).click();
    await page.getByRole("heading", { name: `#${two.name}` }).waitFor();
    await message(page, "Sun again").waitFor();
    await page.goBack();
    await cards.first().waitFor();
  });

  test("the keyboard is enough", async () => {
    const { name, id } = await chat.channel("keys");
    const page = await chat.visit("Ada", `/c/${name}`);
    await page.getByText("It is quiet in here.").waitFor();
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    expect(await focused.textContent()).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await focused.getAttribute("id")).toBe("content");
    await page.keyboard.press("Tab");
    expect(await focused.getAttribute("aria-label")).toBe("Messages");
    await page.keyboard.press("Tab");
    expect(await isFocused(composer(page))).toBe(true);
    await page.keyboard.type("Hands off the mouse");
    await page.keyboard.press("Enter");
    await message(page, "Hands off the mouse").getByRole("button", { name: /^Edit/ }).waitFor();
    expect(await chat.stored(id)).toEqual(["Hands off the mouse"]);

    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    expect(await focused.textContent()).toContain("Edit");
    await page.keyboard.press("Enter");
    await page.keyboard.type("!");
    await page.keyboard.press("Enter");
    await message(page, "Hands off the mouse!").waitFor();
    await page.getByRole("textbox", { name: "Message text" }).waitFor({ state: "detached" });
    expect(await focused.textContent()).toContain("Edit");
    await page.keyboard.press("/");
    expect(await isFocused(composer(page))).toBe(true);
    await page.keyboard.type("1/2");
    expect(await composer(page).inputValue()).toBe("1/2");
  });

  test("a taken channel name is refused with its code", async () => {
    const { name } = await chat.channel("taken");
    const page = await chat.visit("Ada", `/c/${name}`);
    const channels = page.getByRole("navigation", { name: "Channels" });
    await channels.getByRole("button", { name: "New channel" }).click();
    await channels.getByLabel("Name").fill(name);
    await channels.getByLabel("Name").press("Enter");
    const alert = channels.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("CHANNEL_EXISTS");
    expect(await alert.textContent()).toContain(name);
    await channels.getByLabel("Name").fill(`${name}-too`);
    await channels.getByRole("button", { name: "Create channel" }).click();
    await page.waitForURL(`${url}/c/${name}-too`);
    await expect(call(url, "channels:create", { name: "Not A Name" })).rejects.toMatchObject({
      code: "CHANNEL_NAME_INVALID",
      status: 400,
    });
  });

  test("only the author changes a message", async () => {
    const { id } = await chat.channel("mine");
    const messageId = await call(url, "messages:send", { channelId: id, author: "Ada", body: "Mine" });
    const refusal = { code: "NOT_THE_AUTHOR", status: 403 };
    await expect(call(url, "messages:edit", { id: messageId, author: "Bo", body: "Bo’s" })).rejects.toMatchObject(
      refusal,
    );
    await expect(call(url, "messages:remove", { id: messageId, author: "Bo" })).rejects.toMatchObject(refusal);
    expect(await chat.stored(id)).toEqual(["Mine"]);
  });

  test("the menu opens over the page where it is narrow, and nothing is wider than the screen", async () => {
    const { name, id } = await chat.channel("narrow-but-with-a-name-of-some-length");
    const author = "A name that goes on and on, for once";
    await call(url, "messages:send", { channelId: id, author, body: "w".repeat(300) });
    const page = await chat.visit("Ada", `/c/${name}`);
    await page.setViewportSize({ width: 320, height: 640 });
    await composer(page).waitFor();
    const menu = page.getByRole("button", { name: "Menu" });
    const latest = page.getByRole("link", { name: "Latest messages" });
    expect(await latest.isVisible()).toBe(false);
    await menu.click();
    await latest.waitFor();
    await page.keyboard.press("Escape");
    await latest.waitFor({ state: "hidden" });
    await menu.click();
    await latest.click();
    await page.getByRole("heading", { name: "Latest messages" }).waitFor();
    expect(await latest.isVisible()).toBe(false);
    for (const path of [`/c/${name}`, "/latest", "/about", "/nowhere"]) {
      await page.goto(url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (path !== "/about" && path !== "/nowhere") await page.getByText("wwww").first().waitFor();
      expect(await page.evaluate(overflowing), path).toEqual([]);
      await menu.click();
      await page.getByRole("link", { name }).first().waitFor();
      expect(await page.evaluate(overflowing), `the menu on ${path}`).toEqual([]);
    }
  });
});

/** What can be scrolled sideways. */
function overflowing(): string[] {
  return [...document.querySelectorAll("*")]
    .filter((element) => element.scrollWidth > element.clientWidth && getComputedStyle(element).overflowX !== "hidden")
    .filter(
      (element) => /auto|scroll/.test(getComputedStyle(element).overflowX) || element === document.documentElement,
    )
    .map((element) => `${element.tagName}.${element.className}`);
}
