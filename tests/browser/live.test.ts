// Live, optimistic, offline: what the chat's users see of it, in real tabs against a real workerd.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright-core";
import { call, until } from "../support/app.ts";
import { Chat, composer, confirmed, isKept, message, send, texts } from "../support/chat.ts";
import { recordMessages } from "../support/frame-recorder.ts";
import { Network } from "../support/network.ts";
import { randomNumbers } from "../support/seed.ts";

let chat: Chat;

beforeAll(async () => {
  chat = await Chat.start();
});

afterAll(() => chat.end());

afterEach(() => chat.leave());

const quiet = (page: Page): Promise<void> => page.getByText("It is quiet in here.").waitFor();
const isOffline = (page: Page): Promise<void> => page.getByText("You are offline.").waitFor();
const isLive = (page: Page): Promise<void> => page.locator('.connection-state[data-status="connected"]').waitFor();

/** Ends the process that shows the page: no handler of it runs any more. */
async function kill(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  // The answer is lost with the process.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

/** The paths that a page asks over HTTP, from now on. */
function recordCalls(page: Page): string[] {
  const calls: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/_lunora/")) calls.push(pathname);
  });
  return calls;
}

describe("live", () => {
  test("what one sends another one sees, and nobody asks for it", async () => {
    const { name, id } = await chat.channel("live");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const bo = await chat.person("Bo");
    const page = await bo.newPage();
    const calls = recordCalls(page);
    await page.goto(`${chat.url}/c/${name}`);
    await quiet(page);
    const sent = ["one", "two", "three"];
    for (const text of sent) {
      await send(ada, text);
      await message(page, text).waitFor();
    }
    const further = await chat.open(bo, `/c/${name}`);
    await message(further, "three").waitFor();
    await send(further, "four");
    await message(page, "four").waitFor();
    await message(ada, "four").waitFor();
    expect(await texts(page)).toEqual([...sent, "four"]);
    expect(await chat.stored(id)).toEqual([...sent, "four"]);
    expect(calls).toEqual([]);
  });

  test("a new channel is in everybody’s list", async () => {
    const { name } = await chat.channel("first");
    const ada = await chat.visit("Ada", `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    const channels = (page: Page) => page.getByRole("navigation", { name: "Channels" });
    await channels(bo).getByRole("link", { name }).waitFor();
    await channels(ada).getByRole("button", { name: "New channel" }).click();
    await channels(ada).getByLabel("Name").fill(`${name}-second`);
    await channels(ada).getByRole("button", { name: "Create channel" }).click();
    await ada.waitForURL(`${chat.url}/c/${name}-second`);
    await channels(bo)
      .getByRole("link", { name: `${name}-second` })
      .waitFor();
  });

  test("a message neither flickers nor doubles from the key press to its confirmation", async () => {
    const { name, id } = await chat.channel("steady");
    const random = randomNumbers();
    const ada = await chat.person("Ada");
    await Network.of(ada, () => Math.floor(random() * 120));
    const page = await chat.open(ada, `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    await quiet(page);
    await quiet(bo);
    const stop = await recordMessages(page);
    const mine = Array.from({ length: 12 }, (_, number) => `ada no. ${number + 10}`);
    const others = Array.from({ length: 6 }, (_, number) => `bo no. ${number + 10}`);
    const sending = (async () => {
      for (const text of others) {
        await send(bo, text);
        await confirmed(bo, text);
      }
    })();
    for (const text of mine) await send(page, text);
    await sending;
    for (const text of mine) await confirmed(page, text);
    for (const text of others) await message(page, text).first().waitFor();
    const moments = await stop();

    for (const text of [...mine, ...others]) {
      const shown = moments.map((moment) => moment.filter((seen) => seen.text === text).map(({ element }) => element));
      const first = shown.findIndex((elements) => elements.length > 0);
      const [element] = shown[first] ?? [];
      expect(shown.slice(first), text).toEqual(shown.slice(first).map(() => [element]));
    }
    expect((await texts(page)).filter((text) => text.startsWith("ada"))).toEqual(mine);
    expect(await texts(page)).toEqual(await chat.stored(id));
    expect(await texts(bo)).toEqual(await chat.stored(id));
  });

  test("a message whose answer is lost is sent again and stored once", async () => {
    const { name, id } = await chat.channel("lossy");
    const ada = await chat.person("Ada");
    const network = await Network.of(ada);
    const page = await chat.open(ada, `/c/${name}`);
    await quiet(page);
    const lost = network.loseNextAnswer();
    await send(page, "Once");
    await lost;
    await confirmed(page, "Once");
    expect(await chat.stored(id)).toEqual(["Once"]);
    expect(await texts(page)).toEqual(["Once"]);
  });

  test("the latest messages are asked for once, and again on demand", async () => {
    const { id } = await chat.channel("asked");
    const ada = await chat.person("Ada");
    const page = await ada.newPage();
    const calls = recordCalls(page);
    await page.goto(`${chat.url}/latest`);
    await page.getByRole("button", { name: "Refresh" }).waitFor();
    const before = calls.length;
    expect(before).toBeGreaterThan(0);
    await call(chat.url, "messages:send", { channelId: id, author: "Bo", body: "Newer than the page" });
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByText("Newer than the page").waitFor();
    expect(calls.slice(before)).toEqual(["/_lunora/rpc"]);
  });

  test("an edited function answers open pages anew", async () => {
    const { name } = await chat.channel("edited");
    const page = await chat.visit("Ada", `/c/${name}`);
    await quiet(page);
    await send(page, "quiet words");
    await confirmed(page, "quiet words");
    const path = "lunora/messages.ts";
    const before = `query(({ ctx }) => ctx.db.query("messages").order("desc").take(50))`;
    const after = `query(async ({ ctx }) => {
      const messages = await ctx.db.query("messages").order("desc").take(50);
      return messages.map((message) => ({ ...message, body: message.body.toUpperCase() }));
    })`;
    chat.app.edit(path, before, after);
    await message(page, "QUIET WORDS").waitFor();
    await send(page, "more words");
    await message(page, "MORE WORDS").waitFor();
    chat.app.edit(path, after, before);
    await message(page, "quiet words").waitFor();
  });
});

describe("offline", () => {
  test("what is written waits, survives a reload, and goes out once and in order", async () => {
    const { name, id } = await chat.channel("patience");
    const ada = await chat.person("Ada");
    const network = await Network.of(ada);
    const page = await chat.open(ada, `/c/${name}`);
    const bo = await chat.visit("Bo", `/c/${name}`);
    await send(bo, "Before");
    await message(page, "Before").waitFor();
    await until("the browser keeps what is on screen", () => isKept(page, "Before"));
    await network.cut();
    await isOffline(page);
    for (const text of ["First", "Second", "Third"]) await send(page, text);
    await message(page, "Third").getByText("Sending…").waitFor();
    await page.getByText("3 changes are kept").waitFor();

    await page.reload();
    await message(page, "Third").getByText("Sending…").waitFor();
    expect(await texts(page)).toEqual(["Before", "First", "Second", "Third"]);
    expect(await chat.stored(id)).toEqual(["Before"]);
    await send(bo, "Meanwhile");
    await confirmed(bo, "Meanwhile");

    network.mend();
    for (const text of ["First", "Second", "Third"]) await confirmed(page, text);
    await isLive(page);
    const expected = ["Before", "Meanwhile", "First", "Second", "Third"];
    expect(await chat.stored(id)).toEqual(expected);
    await message(bo, "Third").waitFor();
    expect(await texts(page)).toEqual(expected);
    expect(await texts(bo)).toEqual(expected);
    await page.getByText("You are offline.").waitFor({ state: "detached" });
  });

  test("what waits goes out from any page of the app", async () => {
    const { name, id } = await chat.channel("elsewhere");
    const ada = await chat.person("Ada");
    const network = await Network.of(ada);
    const page = await chat.open(ada, `/c/${name}`);
    await quiet(page);
    await network.cut();
    await isOffline(page);
    await send(page, "Left behind");
    await page.getByText("One change is kept").waitFor();
    await page.goto(`${chat.url}/about`);
    await page.getByText("One change is kept").waitFor();
    network.mend();
    await until("it is stored", async () => (await chat.stored(id)).length === 1);
    expect(await chat.stored(id)).toEqual(["Left behind"]);
  });

  test("changes show at once, keep the focus where it is, and are told when they come too late", async () => {
    const { name, id } = await chat.channel("changes");
    const ada = await chat.person("Ada");
    const network = await Network.of(ada);
    const page = await chat.open(ada, `/c/${name}`);
    const twin = await chat.visit("Ada", `/c/${name}`);
    for (const text of ["to edit", "to delete", "to lose"]) {
      await send(page, text);
      await confirmed(page, text);
    }
    await confirmed(twin, "to lose");
    await network.cut();
    await isOffline(page);
    const edit = async (from: string, to: string): Promise<void> => {
      await message(page, from).getByRole("button", { name: /^Edit/ }).click();
      await page.getByRole("textbox", { name: "Message text" }).fill(to);
      await page.keyboard.press("Enter");
      await message(page, to).getByText("Saving…").waitFor();
    };
    await edit("to edit", "edited");
    expect(await page.locator(":focus").textContent()).toContain("Edit message: edited");
    await edit("to lose", "too late");
    await message(page, "to delete")
      .getByRole("button", { name: /^Delete/ })
      .click();
    await page.getByRole("button", { name: "Yes, delete" }).click();
    await message(page, "to delete").waitFor({ state: "detached" });
    expect(await texts(page)).toEqual(["edited", "too late"]);

    await message(twin, "to lose")
      .getByRole("button", { name: /^Delete/ })
      .click();
    await twin.getByRole("button", { name: "Yes, delete" }).click();
    await until("it is gone", async () => (await chat.stored(id)).length === 2);
    await composer(page).fill("a draft");
    network.mend();
    const notice = page.getByRole("alert").filter({ hasText: "NOT_FOUND" });
    await notice.waitFor();
    await message(page, "edited").getByText("(edited)").waitFor();
    expect(await texts(page)).toEqual(["edited"]);
    expect(await chat.stored(id)).toEqual(["edited"]);
    expect(await composer(page).evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await composer(page).inputValue()).toBe("a draft");
  });

  test("three tabs, one offline and one killed, end with the same screen", async () => {
    const { name, id } = await chat.channel("three");
    const path = `/c/${name}`;
    const [adaContext, boContext, cyContext] = [
      await chat.person("Ada"),
      await chat.person("Bo"),
      await chat.person("Cy"),
    ];
    const boNetwork = await Network.of(boContext);
    const cyNetwork = await Network.of(cyContext);
    const ada = await chat.open(adaContext, path);
    const bo = await chat.open(boContext, path);
    let cy = await chat.open(cyContext, path);
    for (const page of [ada, bo, cy]) await quiet(page);

    await boContext.setOffline(true);
    await boNetwork.cut();
    await cyNetwork.cut();
    await isOffline(bo);
    for (let round = 0; round < 5; round += 1) {
      await send(ada, `ada ${round}`);
      await send(bo, `bo ${round}`);
      await send(cy, `cy ${round}`);
    }
    for (const [page, author] of [
      [ada, "ada"],
      [bo, "bo"],
      [cy, "cy"],
    ] as const) {
      await message(page, `${author} 4`).waitFor();
    }
    await cy.getByText("5 changes are kept").waitFor();
    await until("the queue is in storage", () => isKept(cy, "cy 4"));
    await kill(cy);
    cyNetwork.mend();
    cy = await chat.open(cyContext, path);
    await boContext.setOffline(false);
    boNetwork.mend();

    const rounds = [0, 1, 2, 3, 4];
    const sent = ["ada", "bo", "cy"].map((author) => rounds.map((round) => `${author} ${round}`));
    const stored = await until("everything is stored", async () => {
      const rows = await chat.stored(id);
      return rows.length >= sent.flat().length ? rows : undefined;
    });
    for (const own of sent) expect(stored.filter((text) => own.includes(text))).toEqual(own);
    expect(stored).toHaveLength(sent.flat().length);
    for (const page of [ada, bo, cy]) {
      await until("the screens agree", async () => (await texts(page)).length === stored.length);
      await expect.poll(() => texts(page)).toEqual(stored);
      expect(await page.getByText("Sending…").count()).toBe(0);
    }
  });

  test("what the server does not accept is told, and can be tried again or discarded", async () => {
    const { name, id } = await chat.channel("refused");
    const page = await chat.visit("A name that is a good deal longer than forty characters", `/c/${name}`);
    await quiet(page);
    await send(page, "Mine");
    const notice = page.getByRole("alert").filter({ hasText: "TEXT_TOO_LONG" });
    await notice.waitFor();
    expect(await texts(page)).toEqual([]);
    await notice.getByRole("button", { name: "Try again" }).click();
    await notice.getByRole("button", { name: "Discard" }).click();
    await notice.waitFor({ state: "detached" });
    expect(await composer(page).evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await chat.stored(id)).toEqual([]);
  });
});
