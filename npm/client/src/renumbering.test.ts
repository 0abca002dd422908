import { expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { BrowserProfile } from "../testing/browser-profile.ts";
import { add } from "../testing/functions.ts";
import { settle } from "../testing/virtual-clock.ts";
import { World } from "../testing/world.ts";

/** What took effect when a page ends whose frames arrive after the next page has renumbered what was stored. */
async function afterCrash(knowsNames: boolean): Promise<string[]> {
  const world = new World(seed);
  world.shard.knowsNames = knowsNames;
  const profile = new BrowserProfile();
  const tab = world.open("ada", profile);
  void tab.client.mutation(add, { channel: "a", tag: "first", author: "ada" });
  await world.deliver();
  for (const [tag, isFull] of [
    ["stored", false],
    ["lost", true],
    ["stored behind", false],
  ] as const) {
    profile.fill(isFull);
    void tab.client.mutation(add, { channel: "a", tag, author: "ada" });
    await settle();
  }
  expect(tab.storageErrors).not.toEqual([]);
  expect((await profile.stored("o/")).map(([, value]) => (value as { args: { tag: string } }).args.tag)).toEqual([
    "stored",
    "stored behind",
  ]);
  world.network.holdsLate = true;
  tab.kill(9);
  world.open("ada", profile);
  await world.quiet(20_000);
  expect(await profile.stored("o/")).toEqual([]);
  world.network.holdsLate = false;
  await world.quiet();
  return world.shard.state.applied.map(({ tag }) => tag);
}

it("late frames of a page that has ended do not repeat what another page renumbered", async () => {
  expect(await afterCrash(true)).toEqual(["first", "stored", "stored behind"]);
});

it("they would, with a server that knows numbers alone", async () => {
  expect(await afterCrash(false)).toEqual(["first", "stored", "stored behind", "stored behind"]);
});
