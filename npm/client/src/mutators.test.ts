import { describe, expect, it } from "vitest";

import { seed } from "../../test-seed.ts";
import { add, inChannel, list, put, remove } from "../testing/functions.ts";
import type { Written } from "../testing/functions.ts";
import { settle } from "../testing/virtual-clock.ts";
import { World } from "../testing/world.ts";
import type { LiveShape, MutatorDatabase } from "./index.ts";
import type { Row } from "../testing/reference-shard.ts";
import type { Tab } from "../testing/tab.ts";

const tags = ({ getRows }: LiveShape<Row>): string[] => getRows().map(({ tag }) => tag);
const row = { channel: "a", tag: "t1", author: "ada" };

/** A world in which somebody looks at a channel; nothing is on its way. */
async function open(): Promise<{ world: World; tab: Tab; shape: LiveShape<Row> }> {
  const world = new World(seed);
  const tab = world.open("ada");
  const shape = tab.client.shape(inChannel, { channel: "a" });
  shape.subscribe(() => {});
  await world.deliver();
  return { world, tab, shape };
}

type Apply = (context: { readonly db: MutatorDatabase }, args: Written & { channel: string }) => unknown;

describe("the client half of a mutator", () => {
  it("may await what it reads, and is shown when it has ended", async () => {
    const { tab, shape } = await open();
    const apply: Apply = async ({ db }, { author }) => {
      const id = await db.insert("rows", { channel: "a", tag: "first", author });
      const made = await db.get("rows", id);
      await db.patch("rows", id, { tag: `${String(made?.["tag"])} by ${String(made?.["author"])}` });
      await db.insert("rows", { channel: "a", tag: "second", author });
      expect(await db.get("rows", "nothing")).toBeNull();
    };
    tab.client.registerMutator(put, apply);
    const seen: string[][] = [];
    shape.subscribe(() => seen.push(tags(shape)));
    void tab.client.mutate(put, row);
    expect(tags(shape)).toEqual([]);
    await settle();
    expect(seen).toEqual([["first by ada", "second"]]);
    expect(tab.reports).toEqual([]);
  });

  it("is shown at once when it returns the promise of its last call", async () => {
    const { tab, shape } = await open();
    const apply: Apply = ({ db }, args) => db.insert("rows", args);
    tab.client.registerMutator(put, apply);
    void tab.client.mutate(put, row);
    expect(tags(shape)).toEqual(["t1"]);
  });

  it("keeps the order of layers, and what is asked for meanwhile comes after", async () => {
    const { world, tab, shape } = await open();
    const order: string[] = [];
    const apply: Apply = async ({ db }, args) => {
      order.push(`begin ${args.tag}`);
      await db.rows("rows");
      await db.insert("rows", { ...args, tag: `${args.tag} after ${(await db.rows("rows")).length}` });
      order.push(`end ${args.tag}`);
    };
    tab.client.registerMutator(put, apply);
    void tab.client.mutate(put, row);
    void tab.client.mutate(put, { ...row, tag: "t2" });
    const late = tab.client.shape(inChannel, { channel: "b" });
    expect(late.getSnapshot()).toMatchObject({ status: "loading", isOptimistic: false });
    await settle();
    expect(order).toContain("end t2");
    for (let place = 0; place < order.length; place += 2)
      expect(order[place + 1]).toBe(order[place]?.replace("begin", "end"));
    expect(tags(shape)).toEqual(["t1 after 0", "t2 after 1"]);
    await world.deliver();
    expect(tags(shape)).toEqual(["t1", "t2"]);
  });

  it("runs again over what a poke brought while it was running", async () => {
    const { world, tab, shape } = await open();
    const other = world.open("bob");
    const apply: Apply = async ({ db }, args) => {
      const rows = await db.rows("rows");
      await db.insert("rows", { ...args, tag: `${args.tag} of ${rows.length}` });
    };
    tab.client.registerMutator(put, apply);
    tab.setOnline(false);
    for (const wire of world.network.wiresOf(tab)) wire.cut(0);
    void tab.client.mutate(put, row);
    await settle();
    expect(tags(shape)).toEqual(["t1 of 0"]);
    void other.client.mutation(add, { channel: "a", tag: "theirs", author: "bob" });
    await world.deliver();
    // The poke with their row is answered by a call in the same turn, so that both ask to be shown.
    const stop = shape.subscribeChanges(() => void tab.client.mutate(put, { ...row, tag: "t2" }));
    const seen: string[][] = [];
    shape.subscribe(() => seen.push(tags(shape)));
    tab.setOnline(true);
    world.network.setOnline(tab, true);
    await world.clock.advance(60_000);
    for (let step = 0; step < 200 && !seen.some((rows) => rows.includes("t2 of 2")); step++) {
      world.step();
      await settle();
    }
    stop();
    expect(seen).toContainEqual(["theirs", "t1 of 1", "t2 of 2"]);
    await world.quiet();
    expect(tags(shape)).toEqual(expect.arrayContaining(["theirs", "t1", "t2"]));
    expect(shape.getSnapshot().isOptimistic).toBe(false);
  });

  it("that does not end is reported, given up and holds nothing up", async () => {
    const { world, tab, shape } = await open();
    const view = tab.client.liveQuery(list, { channel: "a" });
    view.subscribe(() => {});
    await world.deliver();
    const late: MutatorDatabase[] = [];
    const apply: Apply = async ({ db }, args) => {
      await db.insert("rows", args);
      await new Promise(() => {});
    };
    tab.client.registerMutator(put, (context, args) => {
      late.push(context.db);
      return apply(context, args);
    });
    const sent = tab.client.mutate(put, row);
    void tab.client.mutation(add, { channel: "a", tag: "t2", author: "ada" });
    await settle();
    expect(tab.reports[0]).toMatchObject({
      code: "MUTATION_TIMEOUT",
      message: expect.stringContaining("mutators:put"),
    });
    expect(view.getSnapshot().data?.map(({ tag }) => tag)).toEqual(["t2"]);
    await world.quiet();
    await expect(sent).resolves.toMatch(/^[\w-]{22}$/);
    expect(tags(shape).sort()).toEqual(["t1", "t2"]);
    expect(late.length).toBeGreaterThan(0);
    for (const db of late) await expect(db.rows("rows")).rejects.toMatchObject({ code: "CTX_CLOSED" });
  });

  it("that fails is reported, and what is behind it is shown", async () => {
    const { tab, shape } = await open();
    const apply: Apply = async ({ db }, { tag, ...rest }) => {
      await db.rows("rows");
      if (tag === "bad") throw new Error("Bad tag");
      await db.insert("rows", { ...rest, tag });
    };
    tab.client.registerMutator(put, apply);
    void tab.client.mutate(put, { ...row, tag: "bad" });
    void tab.client.mutate(put, row);
    await settle();
    expect(tags(shape)).toEqual(["t1"]);
    expect(tab.reports.map(String)).toContain("Error: Bad tag");
  });

  it("cannot use its database after its end", async () => {
    const { tab, shape } = await open();
    let kept: MutatorDatabase | undefined;
    tab.client.registerMutator(put, ({ db }) => void (kept = db));
    void tab.client.mutate(put, row);
    const calls = [
      kept?.get("rows", "x"),
      kept?.rows("rows"),
      kept?.insert("rows", {}),
      kept?.patch("rows", "x", {}),
      kept?.replace("rows", "x", {}),
      kept?.delete("rows", "x"),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "CTX_CLOSED" });
    expect(tags(shape)).toEqual([]);
  });

  it("replaces and removes rows, and shows `null` as it is given", async () => {
    const { world, tab, shape } = await open();
    const sent = tab.client.mutate(put, row);
    await world.deliver();
    const id = await sent;
    const apply: Apply = async ({ db }, { tag }) => {
      if (tag === "null") await db.patch("rows", id, { author: null });
      else if (tag === "replace") await db.replace("rows", id, { channel: "a", tag, author: "bob" });
      else await db.delete("rows", id);
      await db.patch("rows", "nothing", { tag });
      await db.replace("rows", "nothing", { tag });
    };
    tab.client.registerMutator(remove, ({ db }, args) => apply({ db }, { ...args, channel: "a" }));
    for (const [tag, shown] of [
      ["null", [{ _id: id, _creationTime: 1, channel: "a", tag: "t1", author: null }]],
      ["replace", [{ _id: id, _creationTime: 1, channel: "a", tag: "replace", author: "bob" }]],
      ["delete", []],
    ] as const) {
      void tab.client.mutation(remove, { id: "nothing", tag, author: "ada" });
      await settle();
      expect(shape.getRows()).toEqual(shown);
      await world.deliver();
    }
  });
});
